import { noCall, noRight, refused, type Refusal } from '../../support/refusals.js'
import { PAYMENT, changePayment, likeFull, paidColumns } from '../../support/texts.js'

const NO_RIGHT = noRight('payments')

const ERASED = "channel_request = '', payer_ref = null, payer_erased_at = now()"

export const PAYMENT_REFUSALS: readonly Refusal[] = [
  ...refused('worker', 'payments_transition', {
    'takes a paid payment back': changePayment('full', "state = 'closed'"),
    'asks again for what is paid': changePayment('full', "state = 'awaiting_payment'"),
    'invents a state': changePayment('created', "state = 'x'"),
  }),
  ...refused('worker', 'payments_paid_once', {
    'raises what was paid': changePayment('full', 'paid_fen = 2000'),
    'lowers what was paid': changePayment('full', 'paid_fen = 1'),
    'forgets what was paid': changePayment('full', 'paid_fen = null'),
    'changes what was settled': changePayment('full', 'settlement_fen = 1'),
    'names another transaction': changePayment('full', "transaction_id = 'x'"),
    'moves the time of paying': changePayment('full', 'paid_at = now()'),
    'releases held money': changePayment('held', "disposition = 'accepted'"),
    'holds accepted money': changePayment('full', "disposition = 'held'"),
  }),
  ...refused('worker', 'payments_paid_has_amount', {
    'calls it paid without an amount': changePayment('awaiting', "state = 'paid'"),
    'puts an amount on what is not paid': changePayment('awaiting', 'paid_fen = 5'),
  }),
  ...refused('worker', 'payments_cash_fen_check', {
    'books less than nothing': changePayment('awaiting', paidColumns(-1)),
  }),
  ...refused('worker', NO_RIGHT, {
    'changes the total': changePayment('full', 'total_fen = 5'),
    'writes what is reserved': changePayment('full', 'reserved_fen = 0'),
    'writes what is refunded': changePayment('full', 'refunded_fen = 0'),
    'writes what is settled': changePayment('full', 'settled_fen = 0'),
    'creates a payment': PAYMENT,
    'reseals who pays': changePayment('full', "channel_request = ''"),
    'says that another pays': changePayment('full', 'payer_ref = sha256(id::text::bytea)'),
    'erases a payer by hand': changePayment('full', ERASED),
    'deletes a payment': "delete from payments where id = '{created}'",
    'truncates payments': 'truncate payments cascade',
  }),
  ...refused('api', NO_RIGHT, {
    'changes a state': changePayment('awaiting', "state = 'paid'"),
    'changes what was paid': changePayment('full', 'paid_fen = 1'),
    'writes a counter': changePayment('full', 'reserved_fen = 0'),
    'creates a paid one': PAYMENT.replace('order_ref,', 'state,').replace('null', "'paid'"),
    'creates an erased one': PAYMENT.replace('order_ref,', 'payer_erased_at,'),
    'creates one with money': PAYMENT.replace('order_ref,', 'paid_fen,').replace('null', '5'),
    'deletes a payment': "delete from payments where id = '{created}'",
    'truncates payments': 'truncate payments cascade',
  }),
  ...refused('api', noCall('open_surplus_refund'), {
    'opens a refund by itself': "select open_surplus_refund(null, '{full}', 'x', 'x', now())",
  }),
  ...refused('api', noCall('resolve_held_case'), {
    'closes the case of held money': "select resolve_held_case('{held}', 'x', 'x', 'x', now())",
  }),
  ...refused('api', noCall('adopt_payment'), {
    'adopts a payment': `select adopt_payment(null, '{account}', 'x', 'x', 'x', 'x', 1, 1, 1, now(),
      now())`,
  }),
  ...refused('api', noCall('lock_for_settling'), {
    'locks a payment for settling': "select * from lock_for_settling('{full}')",
  }),
  ...refused('api', 'payments_of_their_account', {
    'takes the account of another merchant': PAYMENT.replace('{account}', '{foreignAccount}'),
    'takes the number of another account': PAYMENT.replace('1900000001', '1900000002'),
  }),
  ...refused('api', 'payments_total_fen_check', {
    'orders for nothing': PAYMENT.replace('100,', '0,'),
    'orders for less than nothing': PAYMENT.replace('100,', '-100,'),
    'orders above the largest amount': PAYMENT.replace('100,', '1000000001,'),
  }),
  ...refused('api', 'payments_order_ref_open_once', {
    'opens a second payment of an order': PAYMENT.replace('null', "'order-2'"),
  }),
  ...refused('api', 'payments_out_trade_no_check', {
    'uses a number the channel refuses': PAYMENT.replace('ORDER-0001', 'short'),
  }),
  ...refused('owner', 'payments_transition', {
    'takes a paid payment back': changePayment('full', "state = 'created'"),
  }),
  ...refused('owner', 'payments_immutable', {
    'changes the total': changePayment('full', 'total_fen = 5'),
    'moves a payment to another merchant': changePayment('full', "merchant_id = 'other'"),
    'gives a payment another order': changePayment('other', "order_ref = 'order-1'"),
  }),
  ...refused('owner', 'payments_payer_immutable', {
    'reseals who pays': changePayment('full', "channel_request = 'other'"),
    'says that another pays': changePayment('full', 'payer_ref = sha256(id::text::bytea)'),
    'forgets who pays': changePayment('full', 'payer_ref = null'),
    'erases a payer twice': changePayment('erased', ERASED),
    'takes back that a payer was erased': changePayment('erased', 'payer_erased_at = null'),
    'names a payer again': changePayment('erased', "channel_request = 'other'"),
  }),
  ...refused('owner', 'payments_erased_whole', {
    'erases half a payer': changePayment('full', "payer_erased_at = now(), channel_request = ''"),
    'erases the payer of an open order': changePayment('awaiting', ERASED),
  }),
  ...refused('owner', 'payments_refunded_within_paid', {
    'counts more refunded than was paid': changePayment('full', 'refunded_fen = 1001'),
  }),
  ...refused('owner', 'payments_refunds_within_paid', {
    'counts more reserved than is left': changePayment('full', 'reserved_fen = 701'),
  }),
  ...refused('owner', 'payments_settled_fen_check', {
    'counts less than nothing': changePayment('full', 'settled_fen = -1'),
  }),
  ...refused('owner', 'payments_order_ref_accepted_once', {
    'accepts a second payment of an order': likeFull("'transaction_id', 'other'"),
  }),
  ...refused('owner', 'payments_transaction_id_once', {
    'gives two payments one transaction': likeFull("'order_ref', null"),
  }),
  ...refused('owner', 'payments_never_removed', {
    'deletes a payment': "delete from payments where id = '{created}'",
    'truncates payments': 'truncate payments cascade',
  }),
]
