import type { Edge } from '../../../src/domain/states.js'
import { PAYMENT_MESSAGES } from './payment-messages.js'
import { isAtRest, NEVER_A_STEP, NEVER_A_WORLD } from './properties.js'
import { portal } from './refund-channel.js'
import { request } from './refund-decisions.js'
import { refundMessages } from './refund-messages.js'
import type { Rules } from './rules.js'
import { RULES } from './rules.js'
import { movePayment, moveRefund, refundAt, type Message, type Trial } from './trial.js'
import { canonical, FIRST_WORLD, REFUNDS_MAX, type World } from './world.js'

/** What a search from the first world came to. */
export interface Exploration {
  readonly states: number
  /** Pairs of worlds that one message leads from and to. */
  readonly edges: number
  readonly messages: ReadonlySet<string>
  /** The edges of both tables that were taken, as `from -> to`. */
  readonly taken: ReadonlySet<string>
  /** Each forbidden thing that was found, with the shortest way there. */
  readonly faults: ReadonlyMap<string, readonly string[]>
  /** Ways to worlds from which no end can be reached. */
  readonly stuck: readonly (readonly string[])[]
}

interface Found {
  readonly world: World
  readonly from: number
  readonly by: string
}

const WORLD_CHECKS = Object.entries(NEVER_A_WORLD)
const STEP_CHECKS = Object.entries(NEVER_A_STEP)

/** Breadth first, so that what is found is found on a shortest way. */
export class Explorer {
  readonly #taken = new Set<string>()
  readonly #trial: Trial
  readonly #messages: readonly Message[]
  readonly #found: Found[] = []
  readonly #numbers = new Map<string, number>()
  readonly #faults = new Map<string, string[]>()
  readonly #effective = new Set<string>()
  /** For each world, from which worlds one message leads to it. */
  readonly #before: Set<number>[] = []
  #edges = 0
  #isFollowing = false

  constructor(rules: Rules = RULES) {
    this.#trial = { rules, faults: new Set(), taken: this.#taken }
    this.#messages = messagesOf(rules)
  }

  /**
   * @param until ends the search as soon as this forbidden thing is found; others are followed on
   *   the way there, as whoever makes a mistake goes on with it
   */
  explore(until?: string): Exploration {
    this.#isFollowing = until !== undefined
    this.#note(canonical(FIRST_WORLD), -1, '')
    for (let at = 0; at < this.#found.length && !this.#faults.has(until ?? ''); at += 1) {
      for (const message of this.#messages) this.#try(at, message)
    }
    return {
      states: this.#found.length,
      edges: this.#edges,
      messages: this.#effective,
      taken: this.#taken,
      faults: this.#faults,
      stuck: this.#faults.size === 0 ? this.#stuck() : [],
    }
  }

  #try(at: number, message: Message): void {
    const before = this.#foundAt(at).world
    const trial = this.#trial
    trial.faults.clear()
    const after = message.apply(before, trial)
    if (after === before && trial.faults.size === 0) return
    this.#effective.add(message.name)
    for (const [name, isBroken] of STEP_CHECKS) if (isBroken(before, after)) trial.faults.add(name)
    const named = canonical(after)
    if (!this.#numbers.has(named.key)) {
      for (const [name, isBroken] of WORLD_CHECKS) if (isBroken(named.world)) trial.faults.add(name)
    }
    for (const fault of trial.faults) {
      if (!this.#faults.has(fault)) this.#faults.set(fault, [...this.#wayTo(at), message.name])
    }
    if (this.#isFollowing || trial.faults.size === 0) this.#note(named, at, message.name)
  }

  #note({ key, world }: ReturnType<typeof canonical>, from: number, by: string): void {
    const known = this.#numbers.get(key)
    const number = known ?? this.#found.length
    if (known === undefined) {
      this.#numbers.set(key, number)
      this.#found.push({ world, from, by })
      this.#before.push(new Set())
    }
    const before = this.#before[number]
    if (from < 0 || from === number || before === undefined || before.has(from)) return
    before.add(from)
    this.#edges += 1
  }

  /** Backwards from every world that is at rest: what is not met can never come to rest. */
  #stuck(): string[][] {
    const open = this.#found.flatMap(({ world }, at) => (isAtRest(world) ? [at] : []))
    const reached = new Set(open)
    for (const at of open) {
      for (const from of this.#before[at] ?? []) {
        if (reached.has(from)) continue
        reached.add(from)
        open.push(from)
      }
    }
    return this.#found.flatMap((_, at) => (reached.has(at) ? [] : [this.#wayTo(at)]))
  }

  #wayTo(at: number): string[] {
    const way: string[] = []
    for (let here = this.#foundAt(at); here.from >= 0; here = this.#foundAt(here.from)) {
      way.unshift(here.by)
    }
    return way
  }

  #foundAt(at: number): Found {
    const found = this.#found[at]
    if (found === undefined) throw new Error(`No world ${at} was found.`)
    return found
  }
}

/** Every message, and with them each edge of the tables that none of the messages stands for. */
function messagesOf(rules: Rules): Message[] {
  const places = Array.from({ length: REFUNDS_MAX }, (_, index) => index)
  const ofRefunds = places.flatMap((index) => [
    ...refundMessages(index),
    ...strangeRefundEdges(rules, index),
  ])
  return [
    ...PAYMENT_MESSAGES,
    ...strangePaymentEdges(rules),
    ...[1, 2].map((amountFen) => request(amountFen)),
    portal(1),
    ...ofRefunds.map(({ name, apply }, at): Message => {
      const index = Math.floor(at / (ofRefunds.length / REFUNDS_MAX))
      return {
        name,
        apply: (world, trial) => (index < world.refunds.length ? apply(world, trial) : world),
      }
    }),
  ]
}

const written = (edges: Readonly<Record<string, readonly Edge<string>[]>>) =>
  Object.entries(edges).flatMap(([from, list]) =>
    list.map(({ to, by }) => ({ from, to, name: `${from} -> ${to} by ${by}` })),
  )

const KNOWN = new Set(
  [...written(RULES.paymentEdges), ...written(RULES.refundEdges)].map(({ name }) => name),
)

/** An edge that the model gives no reason to take may be taken by anybody at any time. */
const strangeRefundEdges = (rules: Rules, index: number): Message[] =>
  written(rules.refundEdges)
    .filter(({ name }) => !KNOWN.has(name))
    .map(({ from, to, name }) => ({
      name: `refund: ${name}`,
      apply: (world, trial) => {
        if (refundAt(world, index).state !== from) return world
        return moveRefund(world, index, { to: to as never }, trial)
      },
    }))

const strangePaymentEdges = (rules: Rules): Message[] =>
  written(rules.paymentEdges)
    .filter(({ name }) => !KNOWN.has(name))
    .map(({ from, to, name }) => ({
      name: `payment: ${name}`,
      apply: (world, trial) =>
        world.payment.state === from ? movePayment(world, to as never, trial) : world,
    }))

/** Every kind of message there is. */
export const MESSAGE_NAMES: ReadonlySet<string> = new Set(messagesOf(RULES).map(({ name }) => name))
