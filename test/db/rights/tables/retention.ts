import { noCall, noRight, refused, type Refusal } from '../../support/refusals.js'

const ERASE_PAYER = "select * from erase_payer('demo', sha256('x'), 1, now())"
const ERASE_PAYMENTS = "select * from erase_payments(array['{full}']::uuid[], now())"

export const RETENTION_REFUSALS: readonly Refusal[] = [
  ...refused('worker', noRight('retention'), {
    'shortens how long something is kept': 'update retention set keep_days = 30',
    'drops the rule of how long something is kept': 'delete from retention',
  }),
  ...refused('owner', 'retention_keep_days_check', {
    'keeps something for a week only': 'update retention set keep_days = 7',
  }),
  ...refused('worker', noCall('erase_payer'), { 'erases a payer': ERASE_PAYER }),
  ...refused('worker', noCall('erase_payments'), {
    'erases the payer of a payment': ERASE_PAYMENTS,
  }),
  ...refused('api', noCall('erase_payer'), { 'erases a payer': ERASE_PAYER }),
  ...refused('api', noCall('erase_payments'), { 'erases the payer of a payment': ERASE_PAYMENTS }),
  ...refused('api', noCall('erase_old_payers'), {
    'erases old payers': 'select erase_old_payers(now(), 1)',
  }),
  ...refused('api', noCall('drop_inbox_bodies'), {
    'drops old bodies': 'select drop_inbox_bodies(now())',
  }),
  ...refused('api', noCall('ensure_inbox_body_partitions'), {
    'makes partitions': 'select ensure_inbox_body_partitions(now())',
  }),
  ...refused('api', noCall('forget_idempotency_keys'), {
    'frees idempotency keys': 'select forget_idempotency_keys(now(), 1)',
  }),
]
