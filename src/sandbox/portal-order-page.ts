import { escapeHtml, yuanText } from './html.js'
import { stateTag } from './portal-list-page.js'
import type { Note } from './portal-shell.js'
import { money, portalPage } from './portal-shell.js'
import type { OrderView, RefundRow } from './portal-view.js'
import type { RefundStatus } from './records.js'

/** What was typed into the refund form, to be shown again when it was refused. */
export interface TypedRefund {
  readonly amount: string
  readonly notifyUrl: string
}

const STATUSES: Readonly<Record<RefundStatus, { text: string; look: string }>> = {
  PROCESSING: { text: '退款处理中', look: '' },
  SUCCESS: { text: '退款成功', look: 'ok' },
  CHANGE: { text: '退款异常，钱已退回商户', look: 'bad' },
  REFUNDCLOSE: { text: '退款已关闭', look: '' },
}

/** One paid order: what it is, its refunds, and what a person can do about them. */
export function orderPage(view: OrderView, note?: Note, typed?: TypedRefund): string {
  return portalPage({
    title: `订单 ${view.outTradeNo}`,
    mchId: view.mchId,
    ...(note ? { note } : {}),
    content: `<section class="card"><h1>${escapeHtml(view.body)}</h1>
<p class="big">${money(view.totalFee)} ${stateTag(view.state)}</p>
${factsOf(view)}</section>
<h2>退款 <small lang="en">Refund by hand</small></h2>
${view.restFee === 0 ? NOTHING_LEFT : refundForm(view, typed)}
<h2>买家的银行卡 <small lang="en">The buyer's card</small></h2>
${cardForm(view)}
<h2>退款记录 <small lang="en">Refunds</small></h2>
${refundList(view.refunds)}`,
  })
}

const NOTHING_LEFT = '<p class="card soft">已全部申请退款，没有可退的金额。</p>'

function factsOf(view: OrderView): string {
  const coupons: Facts = view.couponFee === 0 ? [] : [['其中代金券', money(view.couponFee)]]
  const facts: Facts = [
    ['商户单号', `<span class="code">${escapeHtml(view.outTradeNo)}</span>`],
    ['微信支付单号', `<span class="code">${escapeHtml(view.transactionId)}</span>`],
    ['支付时间', `<span class="num">${view.paidAt}</span>`],
    ...coupons,
    ['已退', money(view.refundedFee)],
    ['可退', money(view.restFee)],
  ]
  const rows = facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`)
  return `<dl>${rows.join('')}</dl>`
}

type Facts = readonly (readonly [name: string, markup: string])[]

function refundForm(view: OrderView, typed: TypedRefund | undefined): string {
  const { amount, notifyUrl } = typed ?? {
    amount: yuanText(view.restFee),
    notifyUrl: view.notifyUrl,
  }
  return `<form class="card" method="post">
<label><span>退款金额（元） <small lang="en">Yuan</small></span>
<input name="amount" inputmode="decimal" autocomplete="off" required value="${escapeHtml(amount)}">
</label>
<label class="wide"><span>通知地址，可不填 <small lang="en">Notify URL, optional</small></span>
<input name="notify_url" type="url" autocomplete="off" value="${escapeHtml(notifyUrl)}"></label>
<button class="go" name="action" value="refund">退款 <small lang="en">Refund</small></button>
</form>`
}

function cardForm({ isCardFrozen }: OrderView): string {
  return isCardFrozen
    ? `<form class="card" method="post"><p class="state"><span class="tag bad">已冻结</span><br>
之后到账的退款都会异常</p>
<button name="action" value="thaw">解冻</button></form>`
    : `<form class="card" method="post"><p class="state"><span class="tag ok">正常</span><br>
冻结后，到账的退款会异常</p>
<button name="action" value="freeze">冻结</button></form>`
}

function refundList(refunds: readonly RefundRow[]): string {
  if (refunds.length === 0) return '<p class="card soft">还没有退款。</p>'
  return `<ul class="list">${refunds.map(refundItem).join('\n')}</ul>`
}

function refundItem(refund: RefundRow): string {
  const { text, look } = STATUSES[refund.status]
  const coupons = refund.couponFee === 0 ? '' : `，含代金券 ${money(refund.couponFee)}`
  const ended = refund.endedAt === '' ? '' : `<br>结束 ${refund.endedAt}`
  return `<li><div class="row">
<span><strong>${money(refund.refundFee)}</strong><span class="soft">${coupons}</span></span>
<span class="tag ${look}">${text}</span>
<span class="code soft">${escapeHtml(refund.outRefundNo)}</span>
<span class="soft">${refund.isByHand ? '商户平台' : '接口'}</span>
<span class="soft num">申请 ${refund.createdAt}${ended}</span><span></span>
${refund.status === 'CHANGE' ? resolveForm(refund) : ''}</div></li>`
}

function resolveForm({ outRefundNo }: RefundRow): string {
  return `<form class="act" method="post">
<input type="hidden" name="out_refund_no" value="${escapeHtml(outRefundNo)}">
<button class="go" name="action" value="resolve">退到买家的其他账户</button>
<button name="action" value="close">关闭退款</button></form>`
}
