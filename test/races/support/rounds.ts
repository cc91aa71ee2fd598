import { setTimeout as sleep } from 'node:timers/promises'

import { Random } from '../../db/support/random.js'
import type { Answer, PaymentAnswer } from '../../support/api-client.js'
import { eventually, placed, type Stack } from '../../support/stack.js'

/** A minute of the channel is a second. */
export const RATE = 60
/** Which order and which distances; another seed gives other ones. */
const SEED = 20_261_123
const PATIENCE_MS = 90_000

export const until = <T>(look: () => Promise<T | undefined | false | null>): Promise<T> =>
  eventually(look, PATIENCE_MS)

/** Runs rounds side by side, each with a generator of its own, and answers what they came to. */
export function inRounds<T>(count: number, round: (random: Random) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => round(new Random(SEED + n))))
}

/** Starts each of them once, in an order and at distances that the generator gives. */
export async function jumbled<T>(
  random: Random,
  withinMs: number,
  ...contestants: (() => Promise<T>)[]
): Promise<T[]> {
  return Promise.all(
    contestants.map(async (start) => {
      await sleep(random.below(withinMs))
      return start()
    }),
  )
}

export const pay = ({ sandbox, merchant }: Stack, outTradeNo: string, late = false) =>
  sandbox.control.pay({ mchId: merchant.mchId, outTradeNo, late })

export async function paid(stack: Stack, amountFen = 10_000): Promise<PaymentAnswer> {
  const payment = await placed(stack, { amountFen })
  await pay(stack, payment.outTradeNo)
  return until(async () => {
    const { body } = await stack.requester.payment(payment.id)
    return body.state === 'paid' && body
  })
}

/** The rules of the entries that a payment and its refunds have in the journal, in order. */
export const rulesOf = async (stack: Stack, paymentId: string): Promise<string[]> => {
  const rows = await stack.owner.rows<{ rule: string }>(
    {
      text: `select rule from journal_transfers where cause_id = $1
          or cause_id in (select id from refunds where payment_id = $1)
        order by recorded_at, entry_id, n`,
    },
    [paymentId],
  )
  return rows.map(({ rule }) => rule)
}

/** What merchants are told of a payment, in order. */
export const eventsOf = async (stack: Stack, paymentId: string): Promise<string[]> => {
  const rows = await stack.owner.rows<{ type: string }>(
    { text: 'select type from outbox where subject = $1 order by sequence' },
    [paymentId],
  )
  return rows.map(({ type }) => type)
}

/** How many times a state was entered that can be entered once; the book sums to zero by itself. */
export const countOf = (all: readonly string[], ...some: readonly string[]): number =>
  all.filter((each) => some.includes(each)).length

export const codeOf = ({ status, body }: Answer<{ code?: string }>): string | number =>
  body.code ?? status
