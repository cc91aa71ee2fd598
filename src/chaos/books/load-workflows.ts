import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client'

import { paymentWorkflowId, refundWorkflowId } from '../../domain/ids.js'
import type { ChaosWorld } from '../world.js'
import type { Tables, WorkflowEntry } from './books.js'

/** How many histories are read at once: more only wait for each other. */
const AT_ONCE = 8

/** Reads the last run of every workflow of a merchant: of its rows, and whatever else is listed. */
export async function loadWorkflows(world: ChaosWorld, tables: Tables): Promise<WorkflowEntry[]> {
  const { temporalAddress: address, namespace, merchantId } = world
  const connection = await Connection.connect({ address })
  try {
    const client = new Client({ connection, namespace })
    const ids = new Set(rowIds(merchantId, tables))
    const query = `YuanluMerchant = '${merchantId}'`
    for await (const { workflowId } of client.workflow.list({ query })) ids.add(workflowId)
    return await inGroups([...ids], (workflowId) => read(client, workflowId))
  } finally {
    await connection.close()
  }
}

function rowIds(merchantId: string, { payments, refunds }: Tables): string[] {
  const numbers = new Map(payments.map(({ id, outTradeNo }) => [id, outTradeNo]))
  return [
    ...[...numbers.values()].map((outTradeNo) => paymentWorkflowId(merchantId, outTradeNo)),
    ...refunds.map(({ outRefundNo }) => refundWorkflowId(merchantId, outRefundNo)),
  ]
}

async function inGroups<T>(
  ids: readonly string[],
  readOne: (id: string) => Promise<T | undefined>,
): Promise<T[]> {
  const left = [...ids]
  const found: T[] = []
  const takeAll = async (): Promise<void> => {
    for (let id = left.shift(); id !== undefined; id = left.shift()) {
      const one = await readOne(id)
      if (one !== undefined) found.push(one)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, takeAll))
  return found
}

async function read(client: Client, workflowId: string): Promise<WorkflowEntry | undefined> {
  const handle = client.workflow.getHandle(workflowId)
  try {
    const { status } = await handle.describe()
    const history = await handle.fetchHistory()
    const told = (history.events ?? []).map(statesOf)
    return {
      workflowId,
      status: status.name,
      states: told.flatMap(({ activity }) => activity),
      result: told.flatMap(({ end }) => end).at(-1) ?? null,
    }
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined
    throw error
  }
}

type HistoryEvent = NonNullable<
  Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>['events']
>[number]
type Payloads = { readonly payloads?: readonly { readonly data?: unknown }[] | null | undefined }

/**
 * The state that one event tells, as the answer of a local activity or as the workflow's own. What
 * a channel call answers may be older than what stands behind it, so it is left out.
 */
function statesOf(event: HistoryEvent): { activity: string[]; end: string[] } {
  const ended = event.workflowExecutionCompletedEventAttributes?.result
  const answered = event.markerRecordedEventAttributes?.details?.['result']
  return { activity: stateIn(answered), end: stateIn(ended) }
}

function stateIn(result: Payloads | null | undefined): string[] {
  const data = result?.payloads?.[0]?.data
  if (!(data instanceof Uint8Array) || data.length === 0) return []
  const value: unknown = JSON.parse(Buffer.from(data).toString())
  const isTold = typeof value === 'object' && value !== null && 'state' in value
  return isTold && typeof value.state === 'string' ? [value.state] : []
}
