import { describe, expect, test } from 'vitest'

import { notifyUrl, whyNotPublic } from '../../src/api/public-base-url.js'

describe('a public base address', () => {
  test.each([
    ['https://pay.example.com', undefined],
    ['https://pay.example.com/shop', undefined],
    ['https://pay.example.com:443', undefined],
    ['http://pay.example.com', 'it is not https'],
    ['https://pay.example.com:8443', 'it names a port'],
    ['https://pay.example.com?x=1', 'it has a query'],
    ['https://pay.example.com#x', 'it has a query'],
    ['https://me:pw@pay.example.com', 'it holds a password'],
    ['https://localhost', 'its host is not a public host name'],
    ['https://shop.local', 'its host is not a public host name'],
    ['https://127.0.0.1', 'its host is not a public host name'],
    ['https://10.0.0.1', 'its host is not a public host name'],
    ['https://2130706433', 'its host is not a public host name'],
    ['https://[::1]', 'its host is not a public host name'],
    ['nonsense', 'it is not an address'],
  ])('%s: is public unless %s', (url, why) => {
    expect(whyNotPublic(url)).toBe(why)
  })

  test('notify URLs: stand under it, with one slash between', () => {
    expect(notifyUrl('https://a.example/', 't', 'refund')).toBe('https://a.example/notify/t/refund')
  })
})
