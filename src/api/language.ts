export type Language = 'zh' | 'en'

/** The language of `Accept-Language` (RFC 9110) that we speak and the caller likes best. */
export function languageOf(acceptLanguage: string | undefined): Language {
  const ranges = (acceptLanguage ?? '').split(',').map((range, position) => {
    const [tag = '', ...parameters] = range
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/)
    const weight = parameters.find((parameter) => parameter.startsWith('q='))
    return { tag, weight: weight === undefined ? 1 : Number(weight.slice(2)) || 0, position }
  })
  const best = ranges
    .filter(({ tag, weight }) => weight > 0 && /^(zh|en)(-|$)/.test(tag))
    .toSorted((a, b) => b.weight - a.weight || a.position - b.position)[0]
  return best?.tag.startsWith('zh') ? 'zh' : 'en'
}
