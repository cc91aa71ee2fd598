import { noCall, noRight, refused, type Refusal } from '../../support/refusals.js'
import {
  bookExternal,
  CASE,
  CASE_EVENT,
  changePayment,
  changeRefund,
  EXTERNAL_REFUND,
  OPEN_CASE,
  RESOLVE_CASE,
} from '../../support/texts.js'

const TWICE = "values ('{case}', 2,"

const RESOLVE_BY_HAND = "update cases set state = 'resolved', resolved_at = now()"

/** Refunds of the channel's own portal, what is too much, and the cases of it. */
export const CASE_REFUSALS: readonly Refusal[] = [
  ...refused('worker', noRight('refunds'), {
    'books a refund of the portal by hand': EXTERNAL_REFUND,
  }),
  ...refused('worker', noRight('payments'), {
    'raises what is too much': changePayment('full', 'over_reserved_fen = 1'),
    'forgets what is too much': changePayment('over', 'over_reserved_fen = 0'),
  }),
  ...refused('worker', 'refunds_stopped', {
    'sends while more is spoken for than was paid': changeRefund(
      'stopped',
      "state = 'refunding', first_submitted_at = now()",
    ),
  }),
  ...refused('worker', 'external_refunds_status', {
    'books a refund of a status nobody knows': bookExternal('LOST'),
  }),
  ...refused('worker', noCall('resolve_case'), { 'resolves a case': RESOLVE_CASE }),
  ...refused('worker', noRight('cases'), {
    'opens a case by hand': CASE,
    'resolves a case by hand': RESOLVE_BY_HAND,
    'deletes a case': 'delete from cases',
  }),
  ...refused('worker', noRight('case_events'), {
    'writes what happened to a case': CASE_EVENT,
    'changes what happened to a case': "update case_events set note = 'x'",
    'deletes what happened to a case': 'delete from case_events',
  }),
  ...refused('api', noRight('refunds'), {
    'books a refund of the portal by hand': EXTERNAL_REFUND,
  }),
  ...refused('api', noRight('payments'), {
    'raises what is too much': changePayment('full', 'over_reserved_fen = 1'),
  }),
  ...refused('api', noCall('book_external_refund'), {
    'books a refund of the portal': bookExternal('success'),
  }),
  ...refused('api', noCall('open_case'), { 'opens a case': OPEN_CASE }),
  ...refused('api', noCall('resolve_cases'), {
    'resolves the cases of anybody': `select resolve_cases(array['{case}']::uuid[], 'engine', 'x',
      null, null, now())`,
  }),
  ...refused('api', noRight('cases'), {
    'opens a case by hand': CASE,
    'resolves a case by hand': RESOLVE_BY_HAND,
  }),
  ...refused('owner', 'payments_over_reserved_exact', {
    'counts too much where all fits': changePayment('full', 'over_reserved_fen = 1'),
    'counts more than is too much': changePayment('over', 'over_reserved_fen = 301'),
  }),
  ...refused('owner', 'payments_refunds_within_paid', {
    'forgets what is too much': changePayment('over', 'over_reserved_fen = 0'),
  }),
  ...refused('owner', 'payments_over_reserved_has_case', {
    'books a refund of the portal that does not fit without a case': EXTERNAL_REFUND.replace(
      '{other}',
      '{full}',
    ),
  }),
  ...refused('owner', 'payments_refunded_within_paid', {
    'books more of the portal than was paid': EXTERNAL_REFUND.replace('600, 1000', '1001, 2000'),
  }),
  ...refused('owner', 'refunds_beginning', {
    'begins a refund of the portal as pending': EXTERNAL_REFUND.replace(
      "'done', now(), now()",
      "'pending', null, null",
    ),
  }),
  ...refused('owner', 'refunds_asked_by_somebody', {
    'says who asked for a refund of the portal': EXTERNAL_REFUND.replace('null,', "'{key}',"),
  }),
  ...refused('owner', 'cases_immutable', {
    'changes what a case is about': 'update cases set amount_fen = 1',
    'gives a case another cause': "update cases set cause_id = 'x'",
  }),
  ...refused('owner', 'cases_resolved_has_time', {
    'resolves a case without saying when': "update cases set state = 'resolved'",
  }),
  ...refused('owner', 'cases_once', {
    'opens a case twice for a cause': CASE.replace(
      "'payment_held'",
      "'refunds_exceed_payment'",
    ).replace("'payment', 'x'", "'refund', '{external}'"),
  }),
  ...refused('owner', 'cases_kind_fkey', {
    'opens a case of a kind nobody knows': CASE.replace('payment_held', 'mood'),
  }),
  ...refused('owner', 'cases_never_removed', {
    'deletes a case': 'delete from cases',
    'truncates cases': 'truncate cases cascade',
  }),
  ...refused('owner', 'case_events_immutable', {
    'changes what happened to a case': "update case_events set note = 'x'",
  }),
  ...refused('owner', 'case_events_never_removed', {
    'deletes what happened to a case': 'delete from case_events',
    'truncates what happened to cases': 'truncate case_events',
  }),
  ...refused('owner', 'case_events_pkey', {
    'says twice what happened first to a case': CASE_EVENT.replace(TWICE, TWICE.replace('2', '1')),
  }),
]
