import { noRight, refused, type Refusal } from '../../support/refusals.js'
import { REFUND, ask, changeRefund } from '../../support/texts.js'

const NO_RIGHT = noRight('refunds')

export const REFUND_REFUSALS: readonly Refusal[] = [
  ...refused('worker', 'refunds_transition', {
    'takes a done refund back': changeRefund('done', "state = 'refunding', done_at = null"),
    'wakes a rejected refund': changeRefund('rejected', "state = 'pending'"),
    'skips the approval': changeRefund('pending', "state = 'refunding'"),
    'calls a pending refund done': changeRefund('pending', "state = 'done', done_at = now()"),
    'cancels what was sent': changeRefund('refunding', "state = 'cancelled'"),
  }),
  ...refused('worker', 'refunds_sent_has_time', {
    'sends without saying when': changeRefund('approved', "state = 'refunding'"),
    'says it was sent before it is': changeRefund('approved', 'first_submitted_at = now()'),
  }),
  ...refused('worker', 'refunds_done_has_time', {
    'calls it done without a time': changeRefund('refunding', "state = 'done'"),
  }),
  ...refused('worker', 'refunds_set_once', {
    'moves when it was first sent': changeRefund('refunding', 'first_submitted_at = now()'),
    'forgets when it was first sent': changeRefund('refunding', 'first_submitted_at = null'),
  }),
  ...refused('worker', NO_RIGHT, {
    'changes the amount': changeRefund('pending', 'amount_fen = 1'),
    'moves it to another payment': changeRefund('pending', "payment_id = '{other}'"),
    'changes its number': changeRefund('pending', "out_refund_no = 'R-2'"),
    'changes who asked': changeRefund('pending', "requested_for = 'Bob'"),
    'makes a refund of its own': REFUND,
    'deletes a refund': 'delete from refunds',
    'truncates refunds': 'truncate refunds cascade',
  }),
  ...refused('worker', 'permission denied for function request_refund', {
    'asks for a refund': ask(1),
  }),
  ...refused('api', NO_RIGHT, {
    'changes a state': changeRefund('pending', "state = 'approved'"),
    'changes the amount': changeRefund('pending', 'amount_fen = 1'),
    'moves it to another payment': changeRefund('pending', "payment_id = '{other}'"),
    'makes a refund without asking': REFUND,
    'deletes a refund': 'delete from refunds',
    'truncates refunds': 'truncate refunds cascade',
  }),
  ...refused('api', 'refunds_amount_fen_check', {
    'asks for nothing': ask(0),
    'asks for less than nothing': ask(-1),
  }),
  ...refused('owner', 'payments_refunds_within_paid', {
    'refunds more than is left': REFUND.replace('600, 1000', '1001, 2000'),
  }),
  ...refused('owner', 'refunds_within_total', {
    'refunds more than the total': REFUND.replace('600, 1000', '600, 599'),
  }),
  ...refused('owner', 'refunds_beginning', {
    'begins a refund as approved': REFUND.replace('total_fen,', 'total_fen, state,').replace(
      '600, 1000,',
      "600, 1000, 'approved',",
    ),
  }),
  ...refused('owner', 'refunds_immutable', {
    'changes the amount': changeRefund('pending', 'amount_fen = 1'),
    'moves it to another payment': changeRefund('pending', "payment_id = '{other}'"),
    'gives it another reason': changeRefund('pending', "reason = 'y'"),
  }),
  ...refused('owner', 'refunds_transition', {
    'lets a rejected refund count again': changeRefund('rejected', "state = 'approved'"),
  }),
  ...refused('owner', 'refunds_refund_id_once', {
    'gives two refunds one number at the channel': `update refunds set refund_id = 'x'
      where id in ('{pending}', '{approved}')`,
  }),
  ...refused('owner', 'refunds_retried_once', {
    'tries a closed refund again twice': `update refunds set retry_of = '{rejected}'
      where id in ('{pending}', '{approved}')`,
  }),
  ...refused('owner', 'refunds_surplus_once', {
    'gives surplus money back twice': `insert into refunds (id, merchant_id, payment_id, account_id,
        api_version, mch_id, out_refund_no, origin, state, amount_fen, total_fen, reason,
        requested_for, expires_at, created_at, updated_at)
      select gen_random_uuid(), 'demo', '{other}', '{account}', 'v2', '1900000001', 'S-' || n,
        'system', 'approved', 1, 1000, 'x', 'x', now(), now(), now() from generate_series(1, 2) n`,
  }),
  ...refused('owner', 'refunds_of_their_policy', {
    'asks under a policy that is not there': REFUND.replace(
      'total_fen,',
      'total_fen, policy_version,',
    ).replace('600, 1000,', '600, 1000, 9,'),
  }),
  ...refused('owner', 'refunds_terms_immutable', {
    'says later what was shipped': changeRefund('pending', 'shipped = true'),
  }),
  ...refused('api', 'refunds_retry_has_proof', {
    'tries a refund again without proof': `select mark_refund_retry('{pending}', '{rejected}',
      gen_random_uuid(), now())`,
  }),
  ...refused('owner', 'refund_resolutions_immutable', {
    'rewrites what a person did about a refund': "update refund_resolutions set evidence = 'y'",
  }),
  ...refused('owner', 'refund_resolutions_never_removed', {
    'deletes what a person did about a refund': 'delete from refund_resolutions',
    'truncates what people did about refunds': 'truncate refund_resolutions',
  }),
  ...refused('owner', 'refunds_never_removed', {
    'deletes a refund': 'delete from refunds',
    'truncates refunds': 'truncate refunds cascade',
  }),
]
