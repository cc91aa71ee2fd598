import { compareBooks } from './books/compare.js'
import { offendersOf, type Verdict } from './books/verdict.js'
import { ArmedFaults } from './armed-faults.js'
import { Clerk } from './clerk.js'
import { ChaosClient, isRefusal } from './client.js'
import type { DrivenOrders } from './driven.js'
import { Driver } from './driver.js'
import type { Ground } from './ground.js'
import type { FaultKind, PortalKind } from './kinds.js'
import { countFaults, type Plan } from './plan.js'
import { PROFILES } from './profiles.js'
import { isQuiet, untoldOf, waitForQuiet, type Unrest } from './quiet.js'
import { SandboxDesk } from './sandbox-desk.js'
import { Striker } from './striker.js'
import { startSystem, type ChaosSystem } from './system.js'

/** How a drill is run. */
export interface DrillOptions {
  readonly plan: Plan
  /** How long what is under way may take to end once nobody does anything any more. */
  readonly quietWithinMs: number
  /** Told of how much is done, from 0 to 1. */
  readonly onProgress: (done: number) => void
}

/** What a drill came to. */
export interface DrillResult {
  readonly plan: Plan
  readonly verdict: Verdict
  readonly driven: DrivenOrders
  /** How often each kind was planned, and how often it was seen to happen. */
  readonly faults: Readonly<Record<string, { readonly planned: number; readonly happened: number }>>
  readonly restarts: number
  /** Requests for more than was left, refused as they must be. */
  readonly refusedRequests: number
  /** Refunds by hand that the channel refused, as ours was faster. */
  readonly refusedByHand: number
  /** Refunds of ours that one by hand has stopped, and how they went on. */
  readonly contested: {
    /** Held before they were sent, and withdrawn. */
    readonly withdrawn: number
    /** Sent, and refused by the channel. */
    readonly refused: number
    /** Of the refused, those that wait for a day, since an answer was missed. */
    readonly resting: number
  }
  /** Orders that had ended when their money came; it goes back by itself. */
  readonly paidTooLate: number
  /** How many answers each API gave. */
  readonly answersOfApis: readonly number[]
  /** How many notifications were sent for the orders and refunds of each worker. */
  readonly notificationsOfWorkers: readonly number[]
  /** What was still under way when the waiting ended; all zero when it was quiet. */
  readonly unrest: Unrest
  /** What went wrong beside the books: a process that died, a yes that was a no. */
  readonly surprises: readonly { readonly subject: string; readonly sentence: string }[]
  readonly seconds: number
}

const DRIVING_SHARE = 0.8

/** Runs one plan on a ground: a system of its own, driven, struck, left alone, and judged. */
export async function runDrill(ground: Ground, options: DrillOptions): Promise<DrillResult> {
  const { plan, onProgress } = options
  const beganAtMs = performance.now()
  const desk = new SandboxDesk(ground.sandboxUrl, ground.sandboxCa)
  onProgress(0)
  const system = await startSystem(ground, desk, {
    profile: PROFILES[plan.profile],
    sabotage: undefined,
  })
  const client = new ChaosClient(system.world.apiUrls, system.shop)
  try {
    const played = await play(ground, system, { desk, client, options })
    const result = await judge(ground, system, { ...played, client, plan })
    onProgress(1)
    return { ...result, seconds: Math.round((performance.now() - beganAtMs) / 1_000) }
  } finally {
    await client.close()
    await system.close()
    await desk.close()
  }
}

interface Tools {
  readonly desk: SandboxDesk
  readonly client: ChaosClient
  readonly options: DrillOptions
}

/** What was done, and by whom it is remembered. */
interface Played {
  readonly driver: Driver
  readonly striker: Striker
  readonly clerk: Clerk
  readonly faults: ArmedFaults
  readonly unrest: Unrest
}

async function play(
  ground: Ground,
  system: ChaosSystem,
  { desk, client, options }: Tools,
): Promise<Played> {
  const { plan, quietWithinMs, onProgress } = options
  const { mchId } = system.shop
  const { fleet } = ground
  const faults = new ArmedFaults(desk, mchId)
  const striker = new Striker({ fleet, desk, faults, ...system })
  const driver = new Driver({
    client,
    desk,
    faults,
    mchId,
    refundNotifyUrl: system.refundNotifyUrl,
    apis: system.apis.length,
    onBegun: (count) => striker.onBegun(count),
    onOver: (count) => onProgress((DRIVING_SHARE * count) / plan.orders.length),
  })
  const clerk = new Clerk({ client, desk, faults, mchId })
  await Promise.all([driver.drive(plan), striker.run(plan.strikes)])
  const unrest = await waitForQuiet(
    {
      owner: system.owner,
      temporalAddress: ground.temporalAddress,
      namespace: system.world.namespace,
      taskQueue: system.taskQueue,
      attend: async () => {
        await clerk.attend(driver.refunds)
        return clerk.resting.size
      },
      untold: async () => untoldOf(driver.portalRefunds, await desk.notifications(mchId)).length,
      onLook: (left) => onProgress(shareAt(left, plan)),
    },
    quietWithinMs,
  )
  return { driver, striker, clerk, faults, unrest }
}

async function judge(
  { fleet }: Ground,
  { world }: ChaosSystem,
  parts: Played & { readonly client: ChaosClient; readonly plan: Plan },
): Promise<Omit<DrillResult, 'seconds'>> {
  const { driver, striker, clerk, faults, unrest, client, plan } = parts
  const driven = await askAll(driver, client)
  const evidence = await faults.evidence()
  const { refusedRequests, refusedByHand, paidTooLate } = driver
  const happened = {
    ...faults.countHappened(evidence),
    ...striker.happened,
    ...portalRefundsHappened(driver, clerk),
  }
  return {
    plan,
    verdict: await compareBooks(world, driven),
    driven,
    faults: sideBySide(countFaults(plan), happened),
    restarts: fleet.restarts,
    refusedRequests,
    refusedByHand,
    contested: {
      withdrawn: clerk.stopped.size,
      refused: clerk.refused.size,
      resting: clerk.resting.size,
    },
    paidTooLate,
    answersOfApis: client.answers,
    notificationsOfWorkers: world.apiUrls.map(
      (url) => evidence.notifications.filter((each) => each.url.startsWith(`${url}/`)).length,
    ),
    unrest,
    surprises: [
      ...driver.surprises,
      ...fleet.deaths.map(({ name, how }) => ({ subject: name, sentence: how })),
      ...idle('API', client.answers),
    ],
  }
}

/** Each order has one thing under way or a few; what is left of them is left to be waited for. */
const shareAt = ({ payments, refunds }: Unrest, { orders }: Plan): number =>
  DRIVING_SHARE + (1 - DRIVING_SHARE) * Math.max(0, 1 - (payments + refunds + 1) / orders.length)

/** Where there are two of a kind, both have to have done something. */
const idle = (what: string, counts: readonly number[]): DrillResult['surprises'] =>
  counts.flatMap((count, index) =>
    count > 0 ? [] : [{ subject: what, sentence: `${what} ${index + 1} did nothing.` }],
  )

/** One over the rest has happened where it stopped ours, and a race also where ours was first. */
function portalRefundsHappened(
  { portalRefunds, refusedByHand }: Driver,
  { stopped }: Clerk,
): Record<PortalKind, number> {
  const made = (wanted: PortalKind): number =>
    portalRefunds.filter(({ kind }) => kind === wanted).length
  return {
    portal_refund: made('portal_refund'),
    portal_refund_over_rest: [...stopped].filter(
      ({ order }) => order.portal?.kind === 'portal_refund_over_rest',
    ).length,
    portal_refund_race: made('portal_refund_race') + refusedByHand,
  }
}

/** What the API says of everything in the end. */
async function askAll(driver: Driver, client: ChaosClient): Promise<DrivenOrders> {
  const payments = driver.payments.map(async ({ order, answer, isPaid }) => {
    const now = await client.payment(answer.id)
    const { id, outTradeNo } = answer
    const { amountFen } = order
    return { id, outTradeNo, amountFen, isPaid, lastAnswer: isRefusal(now) ? undefined : now }
  })
  const refunds = driver.refunds.map(async ({ plan, answer, payment, decision }) => {
    const now = await client.refund(answer.id)
    return {
      id: answer.id,
      outRefundNo: answer.outRefundNo,
      paymentId: payment.id,
      outTradeNo: payment.outTradeNo,
      amountFen: plan.amountFen,
      decision,
      lastAnswer: isRefusal(now) ? undefined : now,
    }
  })
  return {
    payments: await Promise.all(payments),
    refunds: await Promise.all(refunds),
    portalRefunds: driver.portalRefunds,
  }
}

function sideBySide(
  planned: Partial<Record<FaultKind, number>>,
  happened: Partial<Record<FaultKind, number>>,
): DrillResult['faults'] {
  const kinds = Object.keys(planned) as FaultKind[]
  return Object.fromEntries(
    kinds.map((kind) => [kind, { planned: planned[kind] ?? 0, happened: happened[kind] ?? 0 }]),
  )
}

/** Everything that speaks against a run, one sentence each; none when it went well. */
export function findingsOf(result: DrillResult): string[] {
  const { verdict, faults, unrest, surprises } = result
  const missed = Object.entries(faults).filter(([, { happened }]) => happened === 0)
  return [
    ...offendersOf(verdict).map(({ kind, sentence }) => `${kind}: ${sentence}`),
    ...(verdict.bookSumFen === 0 ? [] : [`The book sums to ${verdict.bookSumFen} fen.`]),
    ...surprises.map(({ sentence }) => sentence),
    ...missed.map(([kind]) => `${kind} was planned and never happened.`),
    ...(isQuiet(unrest) ? [] : [`Still under way in the end: ${JSON.stringify(unrest)}.`]),
  ]
}
