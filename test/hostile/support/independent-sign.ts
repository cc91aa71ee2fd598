import { createHash, createHmac } from 'node:crypto'

/**
 * The signature of WeChat Pay V2, written once more from its documentation: all fields but the sign
 * that are not empty, sorted by name, with the key behind them. It shares nothing with the engine.
 */
export function isSignedV2(fields: ReadonlyMap<string, string>, apiKey: string): boolean {
  const sign = fields.get('sign')
  const pairs = [...fields]
    .filter(([name, value]) => name !== 'sign' && value !== '')
    .toSorted(([one], [two]) => (one < two ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
  const text = [...pairs, `key=${apiKey}`].join('&')
  const hashes = [createHash('md5').update(text), createHmac('sha256', apiKey).update(text)]
  return hashes.some((hash) => hash.digest('hex').toUpperCase() === sign?.toUpperCase())
}
