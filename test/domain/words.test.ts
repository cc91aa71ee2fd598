import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, test } from 'vitest'

import {
  DISPOSITIONS,
  PAYMENT_STATES,
  REFUND_CAUSES,
  REFUND_STATES,
  type RefundCause,
  type RefundState,
} from '../../src/domain/states.js'
import {
  DISPOSITION_WORDS,
  PAYMENT_WORDS,
  REFUND_CAUSE_WORDS,
  REFUND_WORDS,
  refundWords,
} from '../../src/domain/words.js'

const SOURCES = fileURLToPath(new URL('../../src/', import.meta.url))
/**
 * The stand-in of the channel imports nothing of ours and speaks WeChat's own words; answers that
 * were recorded hold words that the table gave them.
 */
const ELSEWHERE = ['domain/words.ts', 'sandbox/', 'api/recorded-examples.json']

const CHINESE = [
  ...Object.values(PAYMENT_WORDS).map(({ zh }) => zh),
  ...Object.values(DISPOSITION_WORDS).map(({ zh }) => zh),
  ...[...Object.values(REFUND_WORDS), ...Object.values(REFUND_CAUSE_WORDS)].flatMap((words) => [
    words.backOffice,
    words.finance,
    words.buyer,
  ]),
]

describe('words of the states', () => {
  test('every state: has its word for each audience', () => {
    expect(Object.keys(PAYMENT_WORDS)).toEqual([...PAYMENT_STATES])
    expect(Object.keys(DISPOSITION_WORDS)).toEqual([...DISPOSITIONS])
    expect(Object.keys(REFUND_WORDS)).toEqual([...REFUND_STATES])
    for (const words of [...Object.values(PAYMENT_WORDS), ...Object.values(REFUND_WORDS)]) {
      for (const word of Object.values(words)) expect(word.trim()).not.toBe('')
    }
  })

  // state             | back office    | finance                | buyer
  test.each([
    ['pending', '待审核', '申请退款', '待商家处理'],
    ['approved', '已同意', '待退款', '商家已同意'],
    ['refunding', '退款中', '退款中', '退款中'],
    ['needs_attention', '待人工处理', '自动退款失败·待处理', '退款处理中,请联系商家'],
    ['done', '退款完成', '退款完成', '退款成功'],
    ['settled', '已线下退款', '已线下退款', '商家已线下退款'],
    ['failed', '退款失败', '自动退款失败·已关闭', '退款未成功,可重新申请'],
    ['rejected', '已拒绝', '不涉及资金', '商家已拒绝'],
    ['cancelled', '已撤销', '不涉及资金', '您已撤销'],
    ['expired', '超时关闭', '不涉及资金', '商家超时未处理,可重新申请'],
  ] as const)('a refund that is %s: says %s, %s and %s', (state, backOffice, finance, buyer) => {
    expect(refundWords(state, null)).toMatchObject({ backOffice, finance, buyer })
  })

  test('within one audience: no two payment states and no two refund states share a word', () => {
    for (const words of [
      Object.values(PAYMENT_WORDS).map(({ zh }) => zh),
      Object.values(PAYMENT_WORDS).map(({ en }) => en),
      Object.values(REFUND_WORDS).map(({ backOffice }) => backOffice),
      Object.values(REFUND_WORDS).map(({ buyer }) => buyer),
      Object.values(REFUND_WORDS).map(({ en }) => en),
    ]) {
      expect(new Set(words).size).toBe(words.length)
    }
  })

  test('a cause: changes the words only of a refund that is still under way', () => {
    const own: readonly (readonly [RefundState, RefundCause, string])[] = [
      ['refunding', 'insufficient_balance', '退款中·余额不足'],
      ['needs_attention', 'abnormal', '退款异常'],
    ]
    for (const [state, cause, word] of own) expect(refundWords(state, cause).backOffice).toBe(word)
    for (const state of REFUND_STATES) {
      for (const cause of REFUND_CAUSES) {
        const moving = state === 'refunding' || state === 'needs_attention'
        const special = cause !== null && Object.hasOwn(REFUND_CAUSE_WORDS, cause)
        if (!moving || !special) expect(refundWords(state, cause)).toBe(REFUND_WORDS[state])
      }
    }
  })

  test('the sources: hold no state word outside the table', async () => {
    const words = [...new Set(CHINESE)].toSorted((a, b) => b.length - a.length)
    // A word counts where it stands by itself: inside a sentence it is part of the sentence, and
    // behind `J4` it is the name of a posting rule.
    const alone = new RegExp(
      `(?<!\\p{Script=Han}|[JP]\\d )(?:${words.join('|')})(?!\\p{Script=Han})`,
      'u',
    )
    const names = await readdir(SOURCES, { recursive: true })
    const files = names
      .map((name) => name.split(path.sep).join('/'))
      .filter((name) => /\.(ts|tsx|sql|css|html|json)$/.test(name))
      .filter((name) => !ELSEWHERE.some((allowed) => name.startsWith(allowed)))
    const found: string[] = []
    for (const name of files) {
      const text = await readFile(path.join(SOURCES, name), 'utf8')
      const word = alone.exec(text)?.[0]
      if (word !== undefined) found.push(`${name}: ${word}`)
    }
    expect(found).toEqual([])
    expect(files.length).toBeGreaterThan(50)
    expect(alone.test(await readFile(path.join(SOURCES, 'domain/words.ts'), 'utf8'))).toBe(true)
  })
})
