import { BASE_STYLE, escapeHtml, groupedYuan, pageHeaders } from './html.js'

/** What the page shows: one state with its words, Chinese first. */
export type CashierState =
  | 'payable'
  | 'cancelled'
  | 'failed'
  | 'paid'
  | 'refunded'
  | 'closed'
  | 'expired'
  | 'unknown'

export interface CashierView {
  readonly state: CashierState
  readonly totalFee: number
  readonly body: string
  readonly merchant: string
  readonly outTradeNo: string
}

interface Words {
  readonly mark: string
  /** Whether the mark tells of something good, bad or neither. */
  readonly look: 'good' | 'bad' | 'plain'
  readonly chinese: string
  readonly english: string
}

const WORDS: Readonly<Record<CashierState, Words>> = {
  payable: { mark: '', look: 'plain', chinese: '待支付', english: 'Waiting for payment' },
  cancelled: {
    mark: '↩',
    look: 'plain',
    chinese: '已取消支付，订单仍可支付',
    english: 'Cancelled, still payable',
  },
  failed: {
    mark: '!',
    look: 'bad',
    chinese: '支付失败，可重新支付',
    english: 'Payment failed, try again',
  },
  paid: { mark: '✓', look: 'good', chinese: '支付成功', english: 'Paid' },
  refunded: {
    mark: '✓',
    look: 'good',
    chinese: '已支付，发生过退款',
    english: 'Paid, with refunds',
  },
  closed: { mark: '×', look: 'plain', chinese: '订单已关闭', english: 'The order is closed' },
  expired: { mark: '×', look: 'plain', chinese: '订单已过期', english: 'The order has expired' },
  unknown: { mark: '?', look: 'plain', chinese: '订单不存在', english: 'There is no such order' },
}

const STYLE = `${BASE_STYLE}
main { max-width: 26rem; margin: 0 auto; padding: 1.5rem 1rem 2rem; }
header { text-align: center; padding: 1rem 0 1.25rem; }
h1 { font-size: 1rem; font-weight: 500; margin: 0; overflow-wrap: anywhere; }
.amount { font-size: 2.75rem; font-weight: 600; margin: .25rem 0 0; letter-spacing: -.02em;
  font-variant-numeric: tabular-nums; }
.amount span { font-size: 1.75rem; margin-right: .125rem; }
.state { margin: .5rem 0 0; font-weight: 500; }
.mark { display: inline-block; width: 1.5em; height: 1.5em; line-height: 1.5; border-radius: 50%;
  background: var(--soft); color: var(--page); margin-right: .5em; }
.mark.good { background: var(--go); color: var(--go-ink); }
.mark.bad { background: var(--bad); }
dl { margin: 0; background: var(--card); border-radius: .75rem; padding: .25rem 1rem; }
dl div { display: flex; justify-content: space-between; gap: 1rem; padding: .75rem 0;
  border-bottom: 1px solid var(--line); }
dl div:last-child { border-bottom: 0; }
dt { color: var(--soft); flex: none; }
dd { margin: 0; text-align: right; overflow-wrap: anywhere; min-width: 0; }
small { display: block; color: var(--soft); font-size: .75rem; font-weight: 400; line-height: 1.3; }
form { display: grid; gap: .75rem; margin-top: 1.5rem; }
button { font: inherit; font-weight: 600; font-size: 1.0625rem; min-height: 3.5rem; width: 100%;
  border-radius: .75rem; border: 1px solid transparent; cursor: pointer; }
button small { color: inherit; }
.pay { background: var(--go); color: var(--go-ink); }
.cancel { background: transparent; color: var(--ink); border-color: var(--soft); }
button:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
footer { margin-top: 1.5rem; text-align: center; color: var(--soft); font-size: .8125rem; }
`

export const CASHIER_HEADERS = pageHeaders(STYLE)

/** The cashier as one HTML document for a phone's screen. */
export function cashierPage(view: CashierView): string {
  const words = WORDS[view.state]
  return `<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${words.chinese} · 收银台 Cashier</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
${view.state === 'unknown' ? '<h1>收银台 Cashier</h1>' : headOf(view)}
<p class="state" role="status">${markOf(words)}${words.chinese}
<small lang="en">${words.english}</small></p>
</header>
${view.state === 'unknown' ? '' : detailsOf(view)}
${isOpen(view.state) ? BUTTONS : ''}
<footer>沙箱，不涉及真实资金<small lang="en">Sandbox: no real money moves</small></footer>
</main>
</body>
</html>
`
}

const BUTTONS = `<form method="post">
<button class="pay" name="action" value="pay">支付<small lang="en">Pay</small></button>
<button class="cancel" name="action" value="cancel">取消<small lang="en">Cancel</small></button>
</form>`

function isOpen(state: CashierState): boolean {
  return state === 'payable' || state === 'cancelled' || state === 'failed'
}

function markOf({ mark, look }: Words): string {
  return mark === '' ? '' : `<span class="mark ${look}" aria-hidden="true">${mark}</span>`
}

function headOf(view: CashierView): string {
  return `<h1>${escapeHtml(view.body)}</h1>
<p class="amount"><span>¥</span>${groupedYuan(view.totalFee)}</p>`
}

function detailsOf(view: CashierView): string {
  return `<dl>
<div><dt>收款方<small lang="en">Merchant</small></dt><dd>${escapeHtml(view.merchant)}</dd></div>
<div><dt>商户单号<small lang="en">Order number</small></dt><dd>${escapeHtml(view.outTradeNo)}</dd></div>
</dl>`
}
