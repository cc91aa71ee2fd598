import { createHash } from 'node:crypto'

/** Text from outside as text of a page, never as markup; also fit for attributes in quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** Fen as yuan with two decimals, by digits alone. */
export function yuanText(amountFen: number): string {
  const sign = amountFen < 0 ? '-' : ''
  const digits = String(Math.abs(amountFen)).padStart(3, '0')
  return `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** The same as people read it, with the digits before the point in groups of three. */
export function groupedYuan(amountFen: number): string {
  return yuanText(amountFen).replace(/\B(?=(\d{3})+\.)/g, ',')
}

/** Fen from yuan as people type them, `12`, `12.5` or `12.50`; undefined when it is not that. */
export function parseYuan(text: string): number | undefined {
  const parts = /^(\d{1,10})(?:\.(\d{1,2}))?$/.exec(text.trim())
  if (!parts) return undefined
  const [, yuan = '', decimals = ''] = parts
  return Number(`${yuan}${decimals.padEnd(2, '0')}`)
}

/** Colours and type of all pages, light and dark. */
export const BASE_STYLE = `
:root { color-scheme: light dark; --ink: #191919; --soft: #5f6368; --page: #ededed;
  --card: #ffffff; --line: #e2e2e2; --go: #05713b; --go-ink: #ffffff; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececec; --soft: #b0b4b8; --page: #111111;
  --card: #1e1e1e; --line: #3a3a3a; --go: #3ddc84; --go-ink: #08210f; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.5;
  font-family: -apple-system, "PingFang SC", "Noto Sans SC", "Microsoft YaHei", sans-serif; }
`

/** Nothing from outside, no script; the page's own style is named by its hash. */
export function pageHeaders(style: string): Readonly<Record<string, string>> {
  const styleHash = createHash('sha256').update(style).digest('base64')
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy':
      `default-src 'none'; style-src 'sha256-${styleHash}'; img-src data:; form-action 'self'; ` +
      "base-uri 'none'; frame-ancestors 'none'",
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  }
}
