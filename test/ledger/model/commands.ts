import type fc from 'fast-check'

import type {
  Book,
  HeldWord,
  Paid,
  PlaceAnswer,
  QueryAnswer,
  Said,
  SubmitAnswer,
  Verb,
} from './book.js'
import type { Who } from './people.js'
import type { Policy } from './policies.js'
import type { PortalRefund } from './portal.js'

/** What somebody does; payments and refunds stand there by their ids. */
export type Command =
  | {
      readonly kind: 'create'
      readonly id: string
      readonly orderRef: string | null
      readonly totalFen: number
    }
  | { readonly kind: 'place'; readonly paymentId: string; readonly answer: PlaceAnswer }
  | { readonly kind: 'notify payment'; readonly paymentId: string; readonly what: Paid }
  | {
      readonly kind: 'expire payment'
      readonly paymentId: string
      readonly answer: 'exact' | 'closed'
    }
  | { readonly kind: 'settle payment'; readonly paymentId: string }
  | { readonly kind: 'decide held'; readonly paymentId: string; readonly word: HeldWord }
  | {
      readonly kind: 'request'
      readonly id: string
      readonly paymentId: string
      readonly amountFen: number
      readonly shipped: boolean | null
      readonly key: string
    }
  | { readonly kind: 'policy'; readonly policy: Policy }
  | { readonly kind: 'decide'; readonly refundId: string; readonly verb: Verb; readonly who: Who }
  | { readonly kind: 'approve in Temporal'; readonly refundId: string }
  | { readonly kind: 'expire refund'; readonly refundId: string }
  | {
      readonly kind: 'send'
      readonly refundId: string
      readonly submit: SubmitAnswer
      readonly query: QueryAnswer
    }
  | { readonly kind: 'notify refund'; readonly refundId: string; readonly what: QueryAnswer }
  | { readonly kind: 'confirm'; readonly refundId: string; readonly query: QueryAnswer }
  | { readonly kind: 'settle refund'; readonly refundId: string }
  | ({ readonly kind: 'retry' } & Resolving)
  | ({ readonly kind: 'settle' } & Resolving)
  | ({ readonly kind: 'fail' } & Resolving)
  | ({ readonly kind: 'portal'; readonly what: QueryAnswer } & PortalRefund)

/** What a person does about a refund, and what the channel says when it is asked about it. */
interface Resolving {
  readonly refundId: string
  readonly who: Who
  readonly says: Said
}

export type Of<Kind extends Command['kind']> = Extract<Command, { kind: Kind }>

/** What a command is about; of refunds, those in a state that fits are picked mostly. */
export type Target = 'nothing' | 'payment' | 'refund' | keyof typeof STATES

/** A command before it is known which payments there are: `at` picks one of them. */
export interface Draft {
  readonly at: number
  readonly make: (target: { readonly id: string; readonly key: string }) => Command
  readonly on: Target
  /** What a failing plan is printed as. */
  readonly [fc.toStringMethod]: () => string
}

/** Every so often one is picked that is in no such state, and the command must be refused. */
const ODD_ONES = 6

function targetsOf(book: Book, { on, at }: Draft): readonly string[] {
  if (on === 'nothing') return ['']
  if (on === 'payment') return Object.keys(book.payments)
  const refunds = Object.values(book.refunds)
  const states: readonly string[] = on === 'refund' || at % ODD_ONES === 0 ? [] : STATES[on]
  const fits = (state: string): boolean => states.length === 0 || states.includes(state)
  return refunds.flatMap(({ id, state }) => (fits(state) ? [id] : []))
}

const STATES = {
  'pending refund': ['pending'],
  'moving refund': ['approved', 'refunding', 'needs_attention'],
  'refund in need': ['needs_attention'],
  'closed refund': ['failed'],
} as const

/** Gives each draft a payment or refund that is there; one that finds none is left out. */
export function resolve(book: Book, batch: readonly Draft[], newId: () => string): Command[] {
  const commands = batch.flatMap((draft) => {
    const targets = targetsOf(book, draft)
    const target = targets[draft.at % targets.length]
    if (target === undefined) return []
    const id = newId()
    const command = draft.make({ id: draft.on === 'nothing' ? id : target, key: id })
    return [command.kind === 'request' ? { ...command, id } : command]
  })
  // What was said before it was sent again counts no more: which came first shows in no answer.
  const sent = commands.flatMap((command) => (command.kind === 'send' ? [command.refundId] : []))
  return commands.filter((command) => command.kind !== 'settle' || !sent.includes(command.refundId))
}
