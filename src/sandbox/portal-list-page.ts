import { escapeHtml, yuanText } from './html.js'
import type { Note } from './portal-shell.js'
import { balanceText, merchantPath, money, orderPath, portalPage } from './portal-shell.js'
import type { MerchantRow, MerchantView, OrderRow, PaidState } from './portal-view.js'
import { PORTAL_PAGE_LENGTH } from './portal-view.js'

interface StateWords {
  readonly chinese: string
  readonly english: string
  readonly look: '' | 'ok' | 'bad'
}

const STATES: Readonly<Record<PaidState, StateWords>> = {
  paid: { chinese: '已支付', english: 'Paid', look: 'ok' },
  refunding: { chinese: '退款中', english: 'Refunding', look: '' },
  part_refunded: { chinese: '部分退款', english: 'Part refunded', look: '' },
  refunded: { chinese: '已全额退款', english: 'Refunded', look: '' },
  abnormal: { chinese: '退款异常', english: 'Refund abnormal', look: 'bad' },
}

export function stateTag(state: PaidState): string {
  const { chinese, english, look } = STATES[state]
  return `<span class="tag ${look}">${chinese} <small lang="en">${english}</small></span>`
}

/** All merchants, each with its balance. */
export function merchantsPage(rows: readonly MerchantRow[]): string {
  const items = rows.map(
    ({ mchId, balanceFen, paidCount }) => `<li><a class="row" href="${merchantPath(mchId)}">
<span class="name num">${escapeHtml(mchId)}</span><span>${balanceText(balanceFen)}</span>
<span class="soft">已支付 ${paidCount} 单</span><span class="soft">可退余额</span></a></li>`,
  )
  return portalPage({
    title: '商户',
    content: `<h1>选择商户 <small lang="en">Merchants</small></h1>
<p></p>
<ul class="list">${items.join('\n')}</ul>`,
  })
}

/**
 * A merchant's balance and its paid orders.
 * @param typed what was typed as the balance, to be shown again when it was refused
 */
export function merchantPage(view: MerchantView, note?: Note, typed?: string): string {
  return portalPage({
    title: `商户 ${view.mchId}`,
    mchId: view.mchId,
    ...(note ? { note } : {}),
    content: `${balanceCard(view, typed)}
<h2>已支付订单 <small lang="en">Paid orders</small></h2>
${searchForm(view)}
${view.rows.length === 0 ? emptyText(view) : listOf(view.rows)}
${pagesOf(view)}`,
  })
}

function balanceCard({ balanceFen }: MerchantView, typed: string | undefined): string {
  const value = typed ?? (balanceFen === null ? '' : yuanText(balanceFen))
  return `<section class="card split">
<div><h1>可退余额 <small lang="en">Balance for refunds</small></h1>
<p class="big">${balanceText(balanceFen)}</p></div>
<form method="post">
<label><span>设为（元） <small lang="en">Set to, yuan</small></span>
<input name="balance" inputmode="decimal" autocomplete="off" required
value="${escapeHtml(value)}"></label>
<button class="go" name="action" value="balance">保存</button>
<button name="action" value="no_limit" formnovalidate>不限</button>
</form></section>`
}

function searchForm({ search }: MerchantView): string {
  return `<form class="card" method="get" role="search">
<label><span>单号或商品 <small lang="en">Number or goods</small></span>
<input name="search" type="search" value="${escapeHtml(search)}"></label>
<button>查找</button></form><p></p>`
}

function emptyText({ search, mchId }: MerchantView): string {
  const text =
    search === ''
      ? '还没有已支付的订单。订单支付后会出现在这里。<br><small lang="en">No paid orders yet.</small>'
      : `没有与“${escapeHtml(search)}”相符的订单。 <a href="${merchantPath(mchId)}">查看全部</a>`
  return `<p class="card soft">${text}</p>`
}

function listOf(rows: readonly OrderRow[]): string {
  return `<ul class="list">${rows.map(rowOf).join('\n')}</ul>`
}

function rowOf(row: OrderRow): string {
  const refunded = row.refundedFee === 0 ? '' : `已退 ${money(row.refundedFee)}`
  return `<li><a class="row" href="${orderPath(row.mchId, row.outTradeNo)}">
<span class="name">${escapeHtml(row.body)}</span><strong>${money(row.totalFee)}</strong>
<span class="code soft">${escapeHtml(row.outTradeNo)}</span>${stateTag(row.state)}
<span class="soft num">${row.paidAt}</span><span class="soft">${refunded}</span></a></li>`
}

function pagesOf({ mchId, search, foundCount, pageNumber }: MerchantView): string {
  const pageCount = Math.max(1, Math.ceil(foundCount / PORTAL_PAGE_LENGTH))
  if (pageCount === 1) return ''
  const link = (to: number, text: string) => {
    if (to < 1 || to > pageCount) return '<span></span>'
    const query = new URLSearchParams({ ...(search === '' ? {} : { search }), page: String(to) })
    return `<a href="${merchantPath(mchId)}?${escapeHtml(query.toString())}">${text}</a>`
  }
  return `<nav class="pages" aria-label="分页">${link(pageNumber - 1, '‹ 上一页')}
<span class="soft">第 ${pageNumber} / ${pageCount} 页，共 ${foundCount} 单</span>
${link(pageNumber + 1, '下一页 ›')}</nav>`
}
