import { newNumberOnRetry, successAtAcceptance } from './channel-bugs.js'
import {
  approvedTwice,
  failureOnTimeout,
  inboxRowLost,
  latePaymentDropped,
  noReservation,
  notificationAppliedTwice,
  paidWithoutCheckingAmount,
  portalRefundIgnored,
  wrongFenPosted,
} from './database-bugs.js'
import {
  approvedByRequester,
  decisionDropped,
  forgedNotificationAccepted,
  resumedWorkflowCreatesAgain,
} from './engine-bugs.js'
import type { Sabotage } from './sabotage.js'

/** Every bug that can be planted, by its name on the command line. */
export const sabotages: Readonly<Record<string, Sabotage>> = {
  'paid-without-checking-amount': paidWithoutCheckingAmount,
  'new-number-on-retry': newNumberOnRetry,
  'no-reservation': noReservation,
  'inbox-row-lost': inboxRowLost,
  'approved-twice': approvedTwice,
  'failure-on-timeout': failureOnTimeout,
  'notification-applied-twice': notificationAppliedTwice,
  'success-at-acceptance': successAtAcceptance,
  'late-payment-dropped': latePaymentDropped,
  'resumed-workflow-creates-again': resumedWorkflowCreatesAgain,
  'portal-refund-ignored': portalRefundIgnored,
  'forged-notification-accepted': forgedNotificationAccepted,
  'wrong-fen-posted': wrongFenPosted,
  'approved-by-requester': approvedByRequester,
  'decision-dropped': decisionDropped,
}
