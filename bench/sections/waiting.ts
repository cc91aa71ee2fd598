import { readFile } from 'node:fs/promises'

import { Agent } from 'undici'

import { line } from '../support/print.js'
import { createPayments } from '../support/orders.js'
import { eventually, startBenchStack, type BenchStack } from '../support/stack.js'

const WAITING = 10_000
const CREATE_AT_ONCE = 20
const MEMORY_MIB_MOST = 512

/** How much memory one worker takes while ten thousand payments wait for their buyers. */
export async function bench(): Promise<boolean> {
  const stack = await startBenchStack()
  const agent = new Agent({ connections: CREATE_AT_ONCE })
  try {
    const before = await residentMib(stack.workerPid)
    await createPayments(stack, agent, { count: WAITING, atOnce: CREATE_AT_ONCE })
    await eventually(() => checkWaiting(stack))
    const after = await residentMib(stack.workerPid)
    line('payments waiting', `${WAITING}`)
    line('worker, memory before', `${before.now} MiB`)
    line('worker, memory with them waiting', `${after.now} MiB`)
    line('worker, most memory', `${after.most} MiB   (at most ${MEMORY_MIB_MOST})`)
    return after.most <= MEMORY_MIB_MOST
  } finally {
    await agent.close()
    await stack.stop()
  }
}

/** @throws Error while one of the payments is not placed yet. */
async function checkWaiting({ owner }: BenchStack): Promise<void> {
  const [open] = await owner.rows<{ count: number }>(
    { text: `select count(*) from payments where state = 'awaiting_payment'` },
    [],
  )
  if (open?.count !== WAITING) throw new Error(`Only ${open?.count ?? 0} payments wait.`)
}

/** The resident set of a process in MiB, now and at its largest, as Linux counts it. */
async function residentMib(pid: number): Promise<{ now: number; most: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const mib = (name: string): number => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)
    return Math.round(Number(found?.[1]) / 1_024)
  }
  return { now: mib('VmRSS'), most: mib('VmHWM') }
}
