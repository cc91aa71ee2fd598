import { expect, test } from 'vitest'

import { languageOf } from '../../src/api/language.js'

test.each([
  [undefined, 'en'],
  ['', 'en'],
  ['zh', 'zh'],
  ['zh-Hans-CN', 'zh'],
  ['zh-CN,zh;q=0.9,en;q=0.8', 'zh'],
  ['en-GB, zh;q=0.9', 'en'],
  ['en;q=0.1, zh;q=0.2', 'zh'],
  ['zh;q=0, en', 'en'],
  ['fr, de', 'en'],
  ['*', 'en'],
  ['zho', 'en'],
  [';;,,q=', 'en'],
])('Accept-Language %s: is answered in %s', (header, language) => {
  expect(languageOf(header)).toBe(language)
})
