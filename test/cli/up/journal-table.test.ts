import { describe, expect, test } from 'vitest'

import { journalSumFen, journalTable } from '../../../src/cli/up/journal-table.js'
import { TEXTS_EN } from '../../../src/cli/up/texts-en.js'
import { TEXTS_ZH } from '../../../src/cli/up/texts-zh.js'
import { columnsOf } from '../../../src/cli/up/width.js'
import type { JournalLine } from '../../../src/ledger/journal.js'

const line = (rule: string, debit: string, credit: string, amountFen: number): JournalLine => ({
  entryId: rule,
  n: 1,
  rule,
  debit,
  credit,
  amountFen,
  causeKind: 'payment',
  causeId: 'cause',
  businessDay: '2026-01-01',
})

const LINES = [
  line('P1', 'wechat:a', 'sales:m', 6_800),
  line('J1', 'refunds_in_transit:a', 'wechat:a', 505),
  line('J2', 'returns:m', 'refunds_in_transit:a', 505),
]

describe('the table of journal lines', () => {
  test('each line and the balances sum to zero', () => {
    expect(journalTable(LINES, TEXTS_EN.table)).toEqual([
      '  journal line         WeChat   in transit    sales   returns    sum',
      '  ------------------   ------   ----------   ------   -------   ----',
      '  P1 paid              +68.00                -68.00             0.00',
      '  J1 refund accepted    -5.05        +5.05                      0.00',
      '  J2 refund arrived                  -5.05              +5.05   0.00',
      '  ------------------   ------   ----------   ------   -------   ----',
      '  balance              +62.95         0.00   -68.00     +5.05   0.00',
    ])
    expect(journalSumFen(LINES)).toBe(0)
  })

  test('Chinese, whose characters are two columns wide, stays aligned', () => {
    const widths = journalTable(LINES, TEXTS_ZH.table).map(columnsOf)
    expect(new Set(widths).size).toBe(1)
  })

  test('an account without a column of its own is shown all the same', () => {
    const [header] = journalTable([line('P2', 'wechat:a', 'suspense:a', 1)], TEXTS_EN.table)
    expect(header).toContain('other')
  })
})
