import { describe } from 'vitest'

import {
  allowed,
  noRight,
  refused,
  testPermissions,
  testRefusals,
  useScene,
} from '../support/rights.js'
import { changePayment, paidColumns, PAYMENT } from '../support/scene.js'

const NO_RIGHT = noRight('payments')

const REFUSED = [
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
    'deletes a payment': "delete from payments where id = '{created}'",
    'truncates payments': 'truncate payments cascade',
  }),
  ...refused('api', NO_RIGHT, {
    'changes a state': changePayment('awaiting', "state = 'paid'"),
    'changes what was paid': changePayment('full', 'paid_fen = 1'),
    'writes a counter': changePayment('full', 'reserved_fen = 0'),
    'creates a paid one': PAYMENT.replace('order_ref,', 'state,').replace('null', "'paid'"),
    'creates one with money': PAYMENT.replace('order_ref,', 'paid_fen,').replace('null', '5'),
    'deletes a payment': "delete from payments where id = '{created}'",
    'truncates payments': 'truncate payments cascade',
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
  ...refused('owner', 'payments_refunded_within_paid', {
    'counts more refunded than was paid': changePayment('full', 'refunded_fen = 1001'),
  }),
  ...refused('owner', 'payments_refunds_within_paid', {
    'counts more reserved than is left': changePayment('full', 'reserved_fen = 701'),
  }),
  ...refused('owner', 'payments_settled_fen_check', {
    'counts less than nothing': changePayment('full', 'settled_fen = -1'),
  }),
  ...refused('owner', 'payments_never_removed', {
    'deletes a payment': "delete from payments where id = '{created}'",
    'truncates payments': 'truncate payments cascade',
  }),
]

const ALLOWED = [
  ...allowed('api', { 'creates a payment': PAYMENT }),
  ...allowed('worker', {
    'places a payment': changePayment('created', "state = 'awaiting_payment'"),
    'books a payment': changePayment('awaiting', paidColumns(100)),
  }),
]

describe('rights on payments', () => {
  const scene = useScene()
  testRefusals(scene, REFUSED)
  testPermissions(scene, ALLOWED)
})
