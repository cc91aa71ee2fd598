import { BASE_STYLE, escapeHtml, groupedYuan, pageHeaders } from './html.js'

const STYLE = `${BASE_STYLE}
main { max-width: 60rem; margin: 0 auto; padding: 1rem 1rem 2.5rem; }
.bar { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1rem;
  justify-content: space-between; padding: .5rem 0 1rem; }
.bar a, .bar strong { font-weight: 600; }
a { color: inherit; text-underline-offset: .2em; }
h1 { font-size: 1.25rem; line-height: 1.35; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 1.75rem 0 .5rem; }
small { color: var(--soft); font-size: .75rem; font-weight: 400; }
.soft { color: var(--soft); }
.card { background: var(--card); border-radius: .75rem; padding: 1rem; }
.note { border-left: .25rem solid var(--go); margin: 0 0 1rem; }
.note.bad { border-color: var(--bad); }
.num { font-variant-numeric: tabular-nums; white-space: nowrap; }
.code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .8125rem;
  overflow-wrap: anywhere; }
.big { font-size: 1.75rem; font-weight: 600; line-height: 1.3; margin: .25rem 0 0; }
form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; margin: 0; }
label { display: grid; gap: .125rem; font-size: .875rem; color: var(--soft); flex: 1 1 9rem;
  min-width: 0; }
.state { margin: 0; flex: 1 1 9rem; color: var(--soft); font-size: .875rem; }
label.wide { flex-basis: 18rem; }
input { font: inherit; color: var(--ink); background: var(--page); border: 1px solid var(--soft);
  border-radius: .5rem; padding: 0 .75rem; min-height: 2.75rem; width: 100%; min-width: 0; }
button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: 0 1rem; cursor: pointer;
  border-radius: .5rem; border: 1px solid var(--soft); background: transparent; color: var(--ink); }
button small { color: inherit; }
button.go { background: var(--go); color: var(--go-ink); border-color: transparent; }
:focus-visible { outline: 3px solid var(--go); outline-offset: 2px; }
.split { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%),
  1fr)); }
.list { list-style: none; margin: 0; padding: 0; background: var(--card); border-radius: .75rem; }
.list > li { border-bottom: 1px solid var(--line); }
.list > li:last-child { border-bottom: 0; }
.row { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: .125rem 1rem;
  padding: .75rem 1rem; text-decoration: none; }
a.row:hover .name { text-decoration: underline; }
.row > :nth-child(even) { text-align: right; }
.name { font-weight: 500; overflow-wrap: anywhere; display: -webkit-box; overflow: hidden;
  -webkit-line-clamp: 2; -webkit-box-orient: vertical; }
.tag { font-size: .8125rem; font-weight: 600; white-space: nowrap; }
.tag.bad { color: var(--bad); }
.tag.ok { color: var(--go); }
.row .act { grid-column: 1 / -1; text-align: left; padding-top: .5rem; }
dl { margin: .75rem 0 0; }
dl div { display: grid; grid-template-columns: 6rem minmax(0, 1fr); gap: .5rem;
  align-items: baseline; padding: .375rem 0; }
dt { color: var(--soft); font-size: .875rem; }
dd { margin: 0; overflow-wrap: anywhere; }
.pages { display: flex; align-items: center; justify-content: space-between; gap: 1rem;
  padding: .75rem 0; }
.pages a { min-height: 2.75rem; display: inline-flex; align-items: center; }
footer { margin-top: 2rem; text-align: center; color: var(--soft); font-size: .8125rem; }
@media (max-width: 30rem) { .code { font-size: .75rem; } form button { flex: 1 1 auto; } }
`

export const PORTAL_HEADERS = pageHeaders(STYLE)

/** One line above the page: what was done, or why it was not. */
export interface Note {
  readonly text: string
  readonly isBad: boolean
}

export interface PortalPage {
  readonly title: string
  /** The merchant whose page it is; none for the list of merchants. */
  readonly mchId?: string
  readonly note?: Note
  /** Markup, made of escaped parts. */
  readonly content: string
}

/** A page of the portal as one HTML document, for a desk and for a phone. */
export function portalPage({ title, mchId, note, content }: PortalPage): string {
  return `<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)} · 商户平台 Portal</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<nav class="bar"><a href="/portal">商户平台 <small lang="en">Portal</small></a>
${mchId === undefined ? '' : `<a href="${merchantPath(mchId)}">商户 ${escapeHtml(mchId)}</a>`}</nav>
${note ? noteText(note) : ''}
${content}
<footer>沙箱，不涉及真实资金 <small lang="en">Sandbox: no real money moves</small></footer>
</main>
</body>
</html>
`
}

export function merchantPath(mchId: string): string {
  return `/portal/${encodeURIComponent(mchId)}`
}

export function orderPath(mchId: string, outTradeNo: string): string {
  return `${merchantPath(mchId)}/${encodeURIComponent(outTradeNo)}`
}

export function money(amountFen: number): string {
  return `<span class="num">¥${groupedYuan(amountFen)}</span>`
}

export function balanceText(balanceFen: number | null): string {
  return balanceFen === null ? '不限 <small lang="en">No limit</small>' : money(balanceFen)
}

function noteText(note: Note): string {
  const [look, role] = note.isBad ? ['card note bad', 'alert'] : ['card note', 'status']
  return `<p class="${look}" role="${role}">${escapeHtml(note.text)}</p>`
}
