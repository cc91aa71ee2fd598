/** A value that must be found nowhere, and what it is called when it is. */
export interface Secret {
  readonly name: string
  readonly value: string
}

/**
 * Every way in which a value is written: as it is, as bytes in hexadecimal and Base64 (where it can
 * begin at any of three places), within JSON, within an address, and in the text of its own bytes.
 */
export function formsOf(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8')
  const shifted = [0, 1, 2].map((shift) => {
    const base64 = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64')
    // What the neighbours decide is left out at both ends.
    return base64.slice(shift === 0 ? 0 : shift + 1).replace(/.{0,2}=*$/, '')
  })
  const url = shifted.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))
  const hex = bytes.toString('hex')
  const forms = [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    hex,
    hex.toUpperCase(),
    [...bytes].join(','),
    ...shifted,
    ...url,
  ]
  return [...new Set(forms)]
}

/** The names of the secrets that a text holds in whatever form. */
export function secretsIn(text: string, secrets: readonly Secret[]): string[] {
  return secrets
    .filter(({ value }) => formsOf(value).some((form) => text.includes(form)))
    .map(({ name }) => name)
}

/** All that is text in a value, with bytes as the text they may be and as they are. */
export function textOf(value: unknown): string {
  const seen = new Set<unknown>()
  const parts: string[] = []
  const collect = (part: unknown): void => {
    if (typeof part === 'string' || typeof part === 'number') parts.push(String(part))
    if (part === null || typeof part !== 'object' || seen.has(part)) return
    seen.add(part)
    if (part instanceof Uint8Array) {
      const bytes = Buffer.from(part)
      parts.push(bytes.toString('utf8'), bytes.toString('hex'))
      return
    }
    for (const [name, each] of part instanceof Map ? part : Object.entries(part)) {
      collect(name)
      collect(each)
    }
  }
  collect(value)
  return parts.join('\n')
}
