import type { WorkflowHandle } from '@temporalio/client'

/** A history as the client fetches it. */
export type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>
type HistoryEvent = NonNullable<History['events']>[number]

/** Temporal's numbers of the kinds of events that are looked at here. */
const EVENT = {
  workflowStarted: 1,
  activityScheduled: 10,
  activityStarted: 11,
  timerStarted: 17,
  markerRecorded: 25,
  signalled: 26,
  continuedAsNew: 28,
  upsertSearchAttributes: 40,
  updateAccepted: 41,
} as const

const LOCAL_ACTIVITY = 'core_local_activity'
const VERSION_ATTRIBUTE = 'TemporalChangeVersion'

/** The number of events of a history: what Temporal stores and replays. */
export const countEvents = (history: History): number => history.events?.length ?? 0

/**
 * The actions that Temporal Cloud bills for a history: one for each start, timer, signal, update,
 * search attribute upsert, continuation and activity, one more for each retry of an activity that
 * ended, and one for all local activities of one workflow task. Not in a history, and so not counted:
 * queries, rejected updates, and the retries of an activity that was left behind.
 */
export function countActions(history: History): number {
  const events = history.events ?? []
  return events.reduce((sum, event) => sum + actionsOf(event), 0) + countLocalTasks(events)
}

function actionsOf(event: HistoryEvent): number {
  switch (event.eventType) {
    case EVENT.workflowStarted:
    case EVENT.activityScheduled:
    case EVENT.timerStarted:
    case EVENT.updateAccepted:
    case EVENT.continuedAsNew:
      return 1
    case EVENT.signalled:
      // A signal that starts the workflow is one action with the start.
      return Number(event.eventId) === 2 ? 0 : 1
    case EVENT.activityStarted:
      return (event.activityTaskStartedEventAttributes?.attempt ?? 1) - 1
    case EVENT.upsertSearchAttributes:
      return VERSION_ATTRIBUTE in upsertedFields(event) ? 0 : 1
    default:
      return 0
  }
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

/** A history as numbered lines, for a person who looks for the event that is too many. */
export function listEvents(history: History): string {
  return (history.events ?? [])
    .map((event) => {
      const [name = 'unknown'] = Object.keys(event).filter((key) => key.endsWith('Attributes'))
      const detail = detailOf(event)
      return `${event.eventId} ${name.replace(/EventAttributes$/, '')}${detail}`
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
