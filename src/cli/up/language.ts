import { TEXTS_EN } from './texts-en.js'
import { TEXTS_ZH } from './texts-zh.js'
import type { Texts } from './texts.js'

/** What is said to a reader of this language. */
export const textsOf = (language: Texts['language']): Texts =>
  language === 'zh' ? TEXTS_ZH : TEXTS_EN
