import { mkdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'

import { Client, Connection } from '@temporalio/client'
import pg from 'pg'
import { Agent } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { SandboxControl } from '../support/sandbox.js'
import { makeTestFolder } from '../support/test-folder.js'
import {
  givePorts,
  isRunning,
  readNotes,
  readPorts,
  runUp,
  upOnTerminal,
  type Ended,
  type UpOnTerminal,
} from './support/running-up.js'

interface Step {
  readonly at: string
  readonly what: string
  readonly state: string
  readonly workflowId: string
  readonly runId: string
  readonly journalIds: readonly string[]
  readonly channelRef: string | null
  readonly clientCertificateSerial?: string
  readonly ok?: boolean
  readonly journalSumFen?: number
}

/** What the steps are called, the state each leaves behind, and how many entries it posts. */
const STEPS: readonly (readonly [what: string, state: string, entries: number])[] = [
  ['created', 'created', 0],
  ['placed', 'awaiting_payment', 0],
  ['buyer paid', 'awaiting_payment', 0],
  ['notification lost', 'awaiting_payment', 0],
  ['asked', 'awaiting_payment', 0],
  ['paid', 'paid', 1],
  ['refund requested', 'pending', 0],
  ['pending', 'pending', 0],
  ['approved by signal', 'approved', 0],
  ['submitted', 'refunding', 0],
  ['accepted', 'refunding', 1],
  ['notified', 'refunding', 0],
  ['confirmed', 'refunding', 0],
  ['done', 'done', 1],
  ['verdict', 'done', 3],
]
const MEMBERS = 'at actor what state workflowId runId journalIds channelRef'.split(' ')
const STOP_ORDER = ['api', 'worker', 'sandbox', 'temporal', 'postgres']
const CTRL_C = '\u0003'

let folder: string
let dataDir: string
let first: Ended
let steps: readonly Step[]
let second: UpOnTerminal | undefined

const stepOf = (what: string): Step => {
  const step = steps.find((each) => each.what === what)
  if (step === undefined) throw new Error(`There is no step ${what}.`)
  return step
}

beforeAll(async () => {
  folder = await makeTestFolder('up')
  dataDir = path.join(folder, 'data')
  await mkdir(dataDir)
  await givePorts(dataDir)
  const file = path.join(folder, 'steps.jsonl')
  first = await runUp(['--exit', '--json', file, '--data', dataDir])
  const lines = (await readFile(file, 'utf8')).trim().split('\n')
  steps = lines.map((line) => JSON.parse(line) as Step)
}, 300_000)

afterAll(async () => {
  second?.type(CTRL_C)
  await second?.ended
})

describe('yuanlu up: the demo', () => {
  test('it ends well and shows every step in its order', () => {
    expect(first).toMatchObject({ status: 0, stderr: '' })
    expect(steps.map(({ what, state, journalIds }) => [what, state, journalIds.length])).toEqual(
      STEPS,
    )
  })

  test('a line has the promised members; two have more', () => {
    const own = (step: Step): string[] => Object.keys(step).filter((key) => !MEMBERS.includes(key))
    for (const step of steps) expect(Object.keys(step).slice(0, MEMBERS.length)).toEqual(MEMBERS)
    expect(own(stepOf('submitted'))).toEqual(['clientCertificateSerial'])
    expect(own(stepOf('verdict'))).toEqual(['ok', 'journalSumFen'])
    expect(steps.filter((step) => own(step).length > 0)).toHaveLength(2)
    expect(stepOf('verdict')).toMatchObject({ ok: true, journalSumFen: 0 })
  })

  test('what it stores of secrets is readable by its owner alone', async () => {
    for (const name of [
      'master-key',
      'ledger-key',
      'api-password',
      'worker-password',
      'demo.json',
    ]) {
      const { mode } = await stat(path.join(dataDir, name))
      expect(mode & 0o777, name).toBe(0o600)
    }
  })

  test('nothing of it runs when it has ended', async () => {
    const started = (await readNotes(dataDir)).filter(({ event }) => event === 'started')
    expect(started.map(({ name }) => name).toSorted()).toEqual(STOP_ORDER.toSorted())
    expect(started.filter(({ pid }) => isRunning(pid))).toEqual([])
  })
})

describe('yuanlu up: a second start', () => {
  let ports: Record<string, number>
  let database: pg.Client
  let temporal: Connection
  let sandbox: SandboxControl
  let dispatcher: Agent

  beforeAll(async () => {
    second = upOnTerminal(['--data', dataDir])
    await second.shows('[q] quit')
    ports = await readPorts(dataDir)
    const password = (await readFile(path.join(dataDir, 'api-password'), 'utf8')).trim()
    database = new pg.Client({
      connectionString: `postgresql://yuanlu_api:${password}@127.0.0.1:${ports['postgres']}/yuanlu`,
    })
    await database.connect()
    temporal = await Connection.connect({ address: `127.0.0.1:${ports['temporal']}` })
    const ca = await readFile(path.join(dataDir, 'sandbox', 'ca.pem'), 'utf8')
    dispatcher = new Agent({ connect: { ca } })
    sandbox = new SandboxControl(`https://127.0.0.1:${ports['sandbox']}`, dispatcher)
  }, 200_000)

  afterAll(async () => {
    await Promise.all([database.end(), temporal.close(), dispatcher.destroy()])
  })

  test('it goes on where the first one was', async () => {
    await second?.shows('Goes on where it was: 1 payment and 1 refund in the book.')
  })

  test('every workflow and run of the first one is in Temporal, with its history', async () => {
    const client = new Client({ connection: temporal })
    const runs = new Map(steps.map(({ workflowId, runId }) => [runId, workflowId]))
    expect(runs.size).toBe(2)
    for (const [runId, workflowId] of runs) {
      const handle = client.workflow.getHandle(workflowId, runId)
      expect((await handle.describe()).status.name).toBe('COMPLETED')
      const { events = [] } = await handle.fetchHistory()
      const signals = (events ?? []).flatMap(
        ({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName ?? [],
      )
      expect(signals).toContain(workflowId.startsWith('refund:') ? 'approve' : 'fact')
    }
  })

  test('every entry is in the journal, which sums to zero', async () => {
    const ids = steps.flatMap(({ journalIds }) => journalIds)
    const { rows } = await database.query<{ entry_id: string; rule: string }>(
      'select entry_id, rule from journal_transfers where entry_id = any($1) order by rule',
      [ids],
    )
    expect(rows.map(({ rule }) => rule)).toEqual(['J1', 'J2', 'P1'])
    expect(new Set(rows.map(({ entry_id }) => entry_id))).toEqual(new Set(ids))
    const [payment, refund] = [stepOf('paid').workflowId, stepOf('done').workflowId]
    const numbers = [payment, refund].map((workflowId) => workflowId.split(':').at(-1))
    const found = await database.query<{ refunded_fen: string; state: string }>(
      `select p.refunded_fen, r.state from payments p join refunds r on r.payment_id = p.id
       where p.out_trade_no = $1 and r.out_refund_no = $2`,
      numbers,
    )
    expect(found.rows).toEqual([{ refunded_fen: '6800', state: 'done' }])
  })

  test('every reference is in the book of the channel, with the certificate', async () => {
    const { orders, refunds } = await sandbox.book()
    const known = [
      ...orders.flatMap(({ outTradeNo, transactionId }) => [outTradeNo, transactionId]),
      ...refunds.flatMap(({ outRefundNo, refundId }) => [outRefundNo, refundId]),
    ]
    const references = steps.flatMap(({ channelRef }) => channelRef ?? [])
    expect(references.filter((reference) => !known.includes(reference))).toEqual([])
    expect(new Set(references).size).toBe(4)
    expect(refunds).toHaveLength(1)
    expect(refunds[0]?.clientCertSerial).toBe(stepOf('submitted').clientCertificateSerial)
  })

  test('the payment notification was lost, and the payment known by asking', async () => {
    const outTradeNo = stepOf('placed').channelRef ?? ''
    const [notification] = await sandbox.notifications({ outTradeNo, kind: 'payment' })
    // Faults end with the sandbox that they were armed in: the second start may see another try.
    expect(notification?.tries[0]?.outcome).toBe('lost')
    const { rows } = await database.query(
      `select source from inbox join payments p on p.id = subject_id where out_trade_no = $1`,
      [outTradeNo],
    )
    expect(rows).toEqual([{ source: 'query' }])
  })

  test('k: a worker killed before the answer leaves one refund, sent twice', async () => {
    second?.type('k')
    await second?.shows('Its book: 1 refund, 12.00 yuan.')
    const { refunds } = await sandbox.book()
    const refund = refunds.find(({ refundFee }) => refundFee === 1_200)
    const calls = await sandbox.log({ call: 'refund', outRefundNo: refund?.outRefundNo ?? '' })
    expect(calls.map(({ answered }) => answered)).toEqual(['timeout_after', 'SUCCESS'])
    expect(refund?.refundStatus).toBe('SUCCESS')
    expect((await readNotes(dataDir)).map(({ event }) => event)).toContain('killed')
  }, 200_000)

  test('a third one beside it says so and ends with status 2', async () => {
    const { status, stderr } = await runUp(['--data', dataDir])
    expect(stderr).toMatch(/^Yuanlu is already running here, as process \d+\.\n$/)
    expect(status).toBe(2)
  })
})

describe('yuanlu up: on a terminal', () => {
  test('Ctrl-C on its terminal stops all in order, and soon', async () => {
    const beganAtMs = performance.now()
    second?.type(CTRL_C)
    expect(await second?.ended).toBe(0)
    // Ten seconds are promised where nothing else runs.
    expect(performance.now() - beganAtMs).toBeLessThan(30_000)
    const notes = await readNotes(dataDir)
    const stopped = notes.filter(({ event }) => event === 'stopped')
    expect(stopped.map(({ name }) => name)).toEqual(STOP_ORDER)
    expect(notes.filter(({ pid }) => isRunning(pid))).toEqual([])
  })
})

describe('yuanlu up: used wrongly', () => {
  test.each([
    ['an unknown option', ['--quiet'], /unknown option/],
    ['a word too many', ['everything'], /too many arguments/],
    ['--json without a file', ['--json'], /argument missing/],
    ['a file that cannot be written', ['--json', '/nowhere/steps.jsonl'], /cannot be written/],
    ['a data folder that is none', ['--data', '/dev/null'], /cannot be used/],
  ])('%s ends with status 2', async (_name, args, sentence) => {
    const ended = await runUp(args)
    expect(ended).toMatchObject({ status: 2, stdout: '' })
    expect(ended.stderr).toMatch(sentence)
  })

  test('production refuses it in one sentence', async () => {
    const ended = await runUp(['--data', path.join(folder, 'never')], { NODE_ENV: 'production' })
    expect(ended).toMatchObject({ status: 2, stdout: '' })
    expect(ended.stderr).toMatch(/^[^\n]*NODE_ENV=production\.\n$/)
    await expect(stat(path.join(folder, 'never'))).rejects.toThrow('ENOENT')
  })
})
