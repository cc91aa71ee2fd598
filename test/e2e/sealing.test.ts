import { afterEach, describe, expect, test } from 'vitest'

import { readOutbox } from '../../src/db/outbox-stream.js'
import { ledgerHead } from '../../src/ledger/heads.js'
import { verifyDatabase } from '../../src/ledger/verify-database.js'
import { eventually, placed, startStack, type Stack } from '../support/stack.js'

let stack: Stack

afterEach(() => stack.stop())

async function payOne(): Promise<void> {
  const body = await placed(stack, { amountFen: 1234 })
  await stack.sandbox.control.pay({ mchId: stack.merchant.mchId, outTradeNo: body.outTradeNo })
  await eventually(async () => (await stack.requester.payment(body.id)).body.state === 'paid')
}

const sealingLines = (): string[] => stack.logLines.filter((line) => line.includes('sealed'))

describe('a worker', () => {
  test('with a key: seals what is paid, and gives its event a position', async () => {
    stack = await startStack({ rate: 60 })
    await payOne()
    const head = await eventually(() => ledgerHead(stack.owner))
    expect(head).toMatchObject({ sealNo: 1, lastSeq: 2 })
    const whole = { ok: true, entries: 1, auditLines: 1, waiting: 0, auditWaiting: 0 }
    expect(await verifyDatabase(stack.owner)).toMatchObject(whole)
    const events = await eventually(async () => {
      const read = await readOutbox(stack.owner, 0, 10)
      return read.length > 0 && read
    })
    expect(events).toMatchObject([{ position: 1, type: 'payment.paid' }])
    expect(sealingLines()).toHaveLength(1)
    expect(sealingLines()[0]).toContain(head.keyId)
  })

  test('without a key: says once that it does not seal, and does the rest', async () => {
    stack = await startStack({ rate: 60, isSealing: false })
    await payOne()
    await eventually(async () => (await readOutbox(stack.owner, 0, 10)).length > 0)
    expect(await ledgerHead(stack.owner)).toBeUndefined()
    expect(await verifyDatabase(stack.owner)).toMatchObject({
      ok: true,
      seals: 0,
      waiting: 1,
      auditWaiting: 1,
    })
    expect(sealingLines()).toHaveLength(1)
    expect(sealingLines()[0]).toContain('YUANLU_LEDGER_KEY is missing')
  })
})
