import type { WorkflowHandle } from '@temporalio/client'

/** A history as the client fetches it. */
export type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>
type HistoryEvent = NonNullable<History['events']>[number]

const LOCAL_ACTIVITY = 'core_local_activity'
const STARTING_SIGNAL_EVENT = 2
const VERSION_ATTRIBUTE = 'TemporalChangeVersion'

/** The number of events of a history: what Temporal stores and replays. */
export const countEvents = (history: History): number => history.events?.length ?? 0

/**
 * The actions that Temporal Cloud bills for a history: one for each start, timer, signal, update,
 * search attribute upsert, continuation and activity, one more for each retry of an activity that
 * ended, and one for all local activities of one workflow task. What no history tells is not
 * counted: queries, rejected updates, and the retries of an activity that was left behind.
 */
export function countActions(history: History): number {
  const events = history.events ?? []
  return events.reduce((sum, event) => sum + actionsOf(event), 0) + countLocalTasks(events)
}

function actionsOf(event: HistoryEvent): number {
  const always =
    event.workflowExecutionStartedEventAttributes ??
    event.workflowExecutionContinuedAsNewEventAttributes ??
    event.workflowExecutionUpdateAcceptedEventAttributes ??
    event.activityTaskScheduledEventAttributes ??
    event.timerStartedEventAttributes
  if (always) return 1
  if (event.workflowExecutionSignaledEventAttributes) {
    // A signal that starts the workflow is one action with the start.
    return Number(event.eventId) === STARTING_SIGNAL_EVENT ? 0 : 1
  }
  if (event.upsertWorkflowSearchAttributesEventAttributes) {
    return VERSION_ATTRIBUTE in upsertedFields(event) ? 0 : 1
  }
  return (event.activityTaskStartedEventAttributes?.attempt ?? 1) - 1
}

function countLocalTasks(events: readonly HistoryEvent[]): number {
  const tasks = events.flatMap(({ markerRecordedEventAttributes: marker }) =>
    marker?.markerName === LOCAL_ACTIVITY ? [String(marker.workflowTaskCompletedEventId)] : [],
  )
  return new Set(tasks).size
}

const upsertedFields = (event: HistoryEvent) =>
  event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields ?? {}

/** The values that a running workflow gave to YuanluAttention, oldest first; null removed it. */
export function upsertedAttention(history: History): unknown[] {
  return (history.events ?? []).flatMap((event) => {
    const payload = upsertedFields(event)['YuanluAttention']
    if (payload === undefined) return []
    const text = Buffer.from(payload.data ?? []).toString()
    return [text === '' ? null : (JSON.parse(text) as unknown)]
  })
}

/**
 * Everything that can be read in a history, payloads included: their bytes, which a message writes
 * as base64 when it becomes JSON, are decoded.
 */
export const textOf = (history: History): string =>
  JSON.stringify(history, (key, value: unknown) =>
    key === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString() : value,
  )

/** A history as numbered lines, for a person who looks for the event that is too many. */
export function listEvents(history: History): string {
  return (history.events ?? [])
    .map((event) => {
      const [name = 'unknown'] = Object.keys(event).filter((key) => key.endsWith('Attributes'))
      const detail = detailOf(event)
      return `${String(event.eventId)} ${name.replace(/EventAttributes$/, '')}${detail}`
    })
    .join('\n')
}

function detailOf(event: HistoryEvent): string {
  const { activityTaskScheduledEventAttributes: scheduled } = event
  const name =
    scheduled?.activityType?.name ??
    event.workflowExecutionSignaledEventAttributes?.signalName ??
    event.markerRecordedEventAttributes?.markerName
  return name === undefined || name === null ? '' : ` ${name}`
}
