import { randomUUID } from 'node:crypto'

import { toString as toQrCode } from 'qrcode'

import { isPaymentOver } from '../../domain/states.js'
import { fen, formatYuan } from '../../domain/money.js'
import { PAYMENT_WORDS } from '../../domain/words.js'
import { playKill } from './kill.js'
import { DEMO_OPENID, type Stage } from './stage.js'
import { until } from './until.js'

const AMOUNT_FEN = 990
/** On the sandbox's clock: long enough for a person who looks for their phone. */
const EXPIRES_IN_SECONDS = 6 * 60 * 60
const PATIENCE_MS = 60 * 60_000
const PAID_POLL_MS = 500

export interface KeyOptions {
  readonly lan: boolean
}

/** Does what the keys ask for, one after the other, until the reader quits. */
export function listenToKeys(stage: Stage, options: KeyOptions): void {
  const { keyboard, screen, texts } = stage
  const actions: Readonly<Record<string, () => Promise<void>>> = {
    p: () => payHere(stage),
    l: () => payByPhone(stage, options),
    k: () => playKill(stage),
    c: async () => showCurl(stage),
  }
  let isBusy = false
  screen.setFooter(texts.keys.footer)
  keyboard?.listen((key) => {
    const action = actions[key]
    if (action === undefined) return
    if (isBusy) {
      screen.print('', `  ${texts.keys.busy}`)
      return
    }
    isBusy = true
    action()
      .catch((error: unknown) => tellFailure(stage, error))
      .finally(() => {
        isBusy = false
      })
  })
}

function tellFailure({ screen, texts, signal }: Stage, error: unknown): void {
  if (signal.aborted) return
  const why = error instanceof Error ? error.message : String(error)
  screen.print(`  ${screen.red(texts.keys.failed(why))}`)
}

async function payHere(stage: Stage): Promise<void> {
  const { screen, texts } = stage
  const address = await openOrder(stage)
  screen.print('', `  ${texts.keys.payHere(formatYuan(fen(AMOUNT_FEN)))}`, `    ${address}`)
}

async function payByPhone(stage: Stage, { lan }: KeyOptions): Promise<void> {
  const { screen, texts } = stage
  if (!lan) {
    const lines = texts.keys.phoneNeedsLan.map((line) => `  ${line}`)
    screen.print('', ...lines, '    npm start -- --lan')
    return
  }
  const address = await openOrder(stage)
  const code = await toQrCode(address, { type: 'terminal', small: true })
  screen.print('', `  ${texts.keys.scan(formatYuan(fen(AMOUNT_FEN)))}`, '')
  screen.print(...code.split('\n').map((line) => `    ${line}`), `    ${address}`)
}

/** Places an order of a small amount, has it watched, and answers its cashier page. */
async function openOrder(stage: Stage): Promise<string> {
  const { system, texts } = stage
  const payment = await system.api.createPayment({
    amountFen: AMOUNT_FEN,
    description: texts.keys.payProduct,
    openid: DEMO_OPENID,
    expiresInSeconds: EXPIRES_IN_SECONDS,
  })
  void watchOrder(stage, payment.id).catch((error: unknown) => tellFailure(stage, error))
  const prepayId = payment.frontEnd?.package.replace('prepay_id=', '') ?? ''
  return `${system.cashierUrl}/${prepayId}`
}

async function watchOrder(stage: Stage, id: string): Promise<void> {
  const { system, timeline, texts, screen, signal } = stage
  const ask = async () => {
    const found = await system.api.payment(id)
    return isPaymentOver(found.state) ? found : undefined
  }
  const wait = { what: id, timeoutMs: PATIENCE_MS, pollMs: PAID_POLL_MS, signal }
  const { outTradeNo, state, amountFen } = await until(ask, wait)
  timeline.line(
    state === 'paid'
      ? screen.green(texts.keys.paidNow(outTradeNo, formatYuan(fen(amountFen))))
      : texts.keys.endedUnpaid(outTradeNo, PAYMENT_WORDS[state][texts.language]),
  )
}

function showCurl({ system, screen, texts }: Stage): void {
  const body = { amountFen: AMOUNT_FEN, description: texts.keys.payProduct, openid: DEMO_OPENID }
  screen.print(
    '',
    `  ${texts.keys.curl}`,
    `    curl -s http://127.0.0.1:${system.ports.api}/v1/payments \\`,
    `      -H 'Authorization: Bearer ${system.shop.requesterKey}' \\`,
    `      -H 'Idempotency-Key: ${randomUUID()}' \\`,
    `      -H 'Content-Type: application/json' \\`,
    `      -d '${JSON.stringify(body)}'`,
  )
}
