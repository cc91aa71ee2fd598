// Takes the pictures of the documents from a running system: a payment that waits and a refund that
// is pending, as operators see them in the Temporal UI, the API's page, and the buyer's cashier.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { chromium, type Browser, type Page } from 'playwright-core'

import { cloneRoot } from '../src/cli/local/clone.js'
import { findTool } from '../src/cli/local/tools.js'
import { openPlace } from '../src/cli/up/place.js'
import { Supervisor } from '../src/cli/up/supervisor.js'
import { bringUp, type System } from '../src/cli/up/system.js'
import { paymentWorkflowId, refundWorkflowId } from '../src/domain/ids.js'

const PICTURES = path.join(cloneRoot, 'docs', 'pictures')
const DESKTOP = { width: 1600, height: 900 }
const PHONE = { width: 390, height: 844 }
/** The Temporal UI draws in steps; a picture is taken when it has been still for a while. */
const SETTLE_MS = 2_500
const TEMPORAL_TABS = ['timeline', 'user-metadata'] as const
const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const folder = await mkdtemp(path.join(tmpdir(), 'yuanlu-pictures-'))
const place = await openPlace(path.join(folder, 'data'))
const supervisor = new Supervisor(path.join(place.logs, 'up.log'), {
  onStarted: () => undefined,
  onDeath: ({ how }) => process.stderr.write(`${how}\n`),
})
try {
  await mkdir(PICTURES, { recursive: true })
  const system = await bringUp({ place, supervisor, lan: false, log: () => undefined })
  const browser = await chromium.launch({
    executablePath: findTool('chromium'),
    args: CHROMIUM_ARGUMENTS,
  })
  await takeAll(system, browser)
  await browser.close()
  await system.close()
} finally {
  await supervisor.stop()
  await place.release()
  await rm(folder, { recursive: true, force: true })
}

async function takeAll(system: System, browser: Browser): Promise<void> {
  const { shop, api, sandbox, ports, cashierUrl } = system
  const openid = 'oUpF8uMuAJO2pxb1Q9zNjWeS6o'
  const waiting = await api.createPayment({ amountFen: 8_800, description: '明前龙井', openid })
  const paid = await api.createPayment({ amountFen: 12_600, description: '青团礼盒', openid })
  await sandbox.pay(shop.mchId, paid.outTradeNo)
  await until(async () => (await api.payment(paid.id)).state === 'paid')
  const refund = await api.requestRefund({
    paymentId: paid.id,
    amountFen: 4_200,
    reason: '少发一盒',
    actingUser: 'li.na',
  })
  const desktop = await browser.newPage({ viewport: DESKTOP, deviceScaleFactor: 1 })
  const workflows = {
    'waiting-payment': paymentWorkflowId(shop.merchantId, waiting.outTradeNo),
    'pending-refund': refundWorkflowId(shop.merchantId, refund.outRefundNo),
  }
  const ui = `http://127.0.0.1:${ports.temporalUi}/namespaces/default/workflows`
  for (const [name, workflowId] of Object.entries(workflows)) {
    const { runId } = await system.temporal.workflow.getHandle(workflowId).describe()
    for (const tab of TEMPORAL_TABS) {
      await take(desktop, `${ui}/${workflowId}/${runId}/${tab}`, `temporal-${name}-${tab}`)
    }
  }
  await take(desktop, ui, 'temporal-workflows')
  await take(desktop, `http://127.0.0.1:${ports.api}/docs`, 'api-docs')
  const phone = await browser.newPage({ viewport: PHONE, deviceScaleFactor: 2 })
  const prepayId = waiting.frontEnd?.package.replace('prepay_id=', '') ?? ''
  await take(phone, `${cashierUrl}/${prepayId}`, 'cashier')
}

async function take(page: Page, url: string, name: string): Promise<void> {
  await page.goto(url, { waitUntil: 'load' })
  await page.waitForTimeout(SETTLE_MS)
  await page.screenshot({ path: path.join(PICTURES, `${name}.png`) })
  process.stdout.write(`docs/pictures/${name}.png\n`)
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + 30_000
  while (!(await isSo())) {
    if (Date.now() > deadlineMs) throw new Error('The payment was not paid in time.')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
