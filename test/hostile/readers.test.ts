import { describe, expect, test } from 'vitest'

import { readXml, XmlError } from '../../src/wechat/v2/xml.js'
import { EXTREMES } from './support/xml-grammar.js'

/** As large as an answer of the channel may be, which is larger than any notification. */
const BYTES = 256 * 1_024
/**
 * A document that takes a reader quadratic time takes seconds at this size. It is the processor's
 * time that counts: a machine may have others to serve.
 */
const READING_MS_MAX = 1_500
const processorMs = (since: NodeJS.CpuUsage): number => process.cpuUsage(since).user / 1_000

describe('the XML reader', () => {
  test.each(EXTREMES.map((make) => [make(30).replaceAll('\n', '\\n'), make] as const))(
    'as much as it takes of %s: is read or refused soon',
    (_sample, make) => {
      const document = make(BYTES - 200)
      const begun = process.cpuUsage()
      try {
        readXml(document, { bytesMax: BYTES })
      } catch (error) {
        expect(error).toBeInstanceOf(XmlError)
      }
      expect(processorMs(begun)).toBeLessThan(READING_MS_MAX)
    },
  )
})
