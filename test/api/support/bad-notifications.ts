import { BODY_BYTES_MAX, type BadInput, type Standing } from './bad-input.js'

/** What is refused of what comes to the addresses of WeChat Pay, as rows of errors.md. */

type Kind = 'payment' | 'refund'

const refused = (
  kind: Kind,
  what: string,
  reason: string,
  body: (standing: Standing) => string | Buffer,
): BadInput => ({
  what: `a ${kind === 'payment' ? '' : 'refund’s '}notification ${what}`,
  status: 400,
  code: null,
  counter: `notifications_total{kind="${kind}",result="${reason}"}`,
  log: 'notification refused',
  request: ({ notifyToken, ...standing }) => ({
    call: `POST /notify/${notifyToken}/${kind}`,
    as: 'none',
    body: body({ notifyToken, ...standing }),
    contentType: 'text/xml',
  }),
})

const tooLarge = (kind: Kind): BadInput => ({
  ...refused(kind, 'of 64 KiB and one byte', 'too_large', () => 'x'.repeat(BODY_BYTES_MAX + 1)),
  status: 413,
  log: 'notification not stored',
})

const OTHER_KEY = 'f'.repeat(32)
const BOMB = '<!DOCTYPE xml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
/** The bytes C7 E0 are a character of GBK, and no UTF-8. */
const NOT_UTF8 = Buffer.from([0xc7, 0xe0])

/** What is wrong with a document whatever it tells. */
const malformed = (kind: Kind, document: (standing: Standing) => string): readonly BadInput[] => [
  refused(kind, 'with an element twice', 'malformed', (standing) => {
    return document(standing).replace('</xml>', '<mch_id>1</mch_id></xml>')
  }),
  refused(kind, 'with an entity bomb', 'malformed', (standing) => BOMB + document(standing)),
  refused(kind, 'that names another charset', 'malformed', (standing) => {
    return `<?xml version="1.0" encoding="GBK"?>${document(standing)}`
  }),
  refused(kind, 'with bytes of another charset', 'malformed', (standing) => {
    const [before = '', after = ''] = document(standing).split('</xml>')
    return Buffer.concat([
      Buffer.from(`${before}<attach>`),
      NOT_UTF8,
      Buffer.from('</attach></xml>' + after),
    ])
  }),
  refused(kind, 'that is cut off', 'malformed', (standing) => document(standing).slice(0, 100)),
  tooLarge(kind),
]

const OF_PAYMENTS: readonly BadInput[] = [
  refused('payment', 'that is not signed', 'unsigned', ({ signed }) =>
    signed({}).replace(/<sign>.*<[/]sign>/, ''),
  ),
  refused('payment', 'signed with another key', 'bad_signature', ({ signed }) =>
    signed({}, OTHER_KEY),
  ),
  refused('payment', 'changed after it was signed', 'bad_signature', ({ signed }) =>
    signed({}).replaceAll('1000', '9999'),
  ),
  refused('payment', 'of another merchant', 'foreign_merchant', ({ signed }) =>
    signed({ mch_id: '1900000001' }),
  ),
  refused('payment', 'of another appid', 'foreign_app', ({ signed }) =>
    signed({ appid: 'wx0000000000000000' }),
  ),
  refused('payment', 'of an order nobody knows', 'unknown_number', ({ signed }) =>
    signed({ out_trade_no: 'NOTOURS123' }),
  ),
  refused('payment', 'whose return_code is FAIL', 'not_success', ({ signed }) =>
    signed({ return_code: 'FAIL' }),
  ),
  refused('payment', 'whose result_code is FAIL', 'not_success', ({ signed }) =>
    signed({ result_code: 'FAIL' }),
  ),
  refused('payment', 'with an amount that is no integer', 'incomplete', ({ signed }) =>
    signed({ total_fee: '10.5' }),
  ),
  ...malformed('payment', ({ signed }) => signed({})),
]

const OF_REFUNDS: readonly BadInput[] = [
  refused('refund', 'that tells nothing', 'unsigned', ({ sealed }) =>
    sealed({}).replace(/<req_info>.*<[/]req_info>/, ''),
  ),
  refused('refund', 'encrypted with another key', 'bad_signature', ({ sealed }) =>
    sealed({}, OTHER_KEY),
  ),
  refused('refund', 'of another merchant', 'foreign_merchant', ({ sealed, accountId }) =>
    sealed({}).replace(/<mch_id>.*?<[/]mch_id>/, `<mch_id>${accountId}</mch_id>`),
  ),
  refused('refund', 'whose return_code is FAIL', 'not_success', ({ sealed }) =>
    sealed({}).replace(/<return_code>.*?<[/]return_code>/, '<return_code>FAIL</return_code>'),
  ),
  refused('refund', 'of a refund nobody knows', 'unknown_number', ({ sealed }) => sealed({})),
  refused('refund', 'with an amount that is no integer', 'incomplete', ({ sealed }) =>
    sealed({ refund_fee: '1e2' }),
  ),
  ...malformed('refund', ({ sealed }) => sealed({})),
]

export const BAD_NOTIFICATIONS: readonly BadInput[] = [...OF_PAYMENTS, ...OF_REFUNDS]
