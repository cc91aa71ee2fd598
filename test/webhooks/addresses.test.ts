import { describe, expect, test } from 'vitest'

import { isPublicAddress } from '../../src/webhooks/addresses.js'
import { targetOf } from '../../src/webhooks/target.js'

describe('isPublicAddress', () => {
  test.each(['1.1.1.1', '93.184.216.34', '172.15.0.1', '192.169.0.1', '2606:4700:4700::1111'])(
    '%s: is public',
    (address) => {
      expect(isPublicAddress(address)).toBe(true)
    },
  )

  test.each([
    ['this host', '0.0.0.0'],
    ['private, class A', '10.1.2.3'],
    ['shared by carriers', '100.64.0.1'],
    ["a cloud's metadata within that", '100.100.100.200'],
    ['loopback', '127.0.0.1'],
    ['loopback, elsewhere', '127.8.9.10'],
    ['link-local, where metadata is', '169.254.169.254'],
    ['private, class B', '172.31.255.255'],
    ['protocol assignments', '192.0.0.192'],
    ['private, class C', '192.168.0.1'],
    ['benchmarks', '198.19.0.1'],
    ['multicast', '224.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['IPv6 unspecified', '::'],
    ['IPv6 loopback', '::1'],
    ['mapped', '::ffff:127.0.0.1'],
    ['mapped, in hexadecimal', '::ffff:7f00:1'],
    ['mapped, of a public address', '::ffff:1.1.1.1'],
    ['compatible', '::127.0.0.1'],
    ['translated', '64:ff9b::a00:1'],
    ['6to4', '2002:7f00:1::'],
    ['Teredo', '2001:0:1::'],
    ['documentation', '2001:db8::1'],
    ['unique local', 'fd00:ec2::254'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['multicast of IPv6', 'ff02::1'],
    ['no address', 'example.com'],
  ])('%s (%s): is not', (_what, address) => {
    expect(isPublicAddress(address)).toBe(false)
  })
})

describe('targetOf', () => {
  test.each([
    'https://shop.example.com/hook',
    'https://shop.example.com:8443/',
    'https://1.1.1.1/hook',
    'https://shop.example.com:443/?a=1',
  ])('%s: can be sent to', (url) => {
    expect(targetOf(url, [])).toMatchObject({ allowed: false })
  })

  test.each([
    ['shop.example.com', 'not_a_url'],
    [`https://example.com/${'a'.repeat(2_048)}`, 'not_a_url'],
    ['http://shop.example.com/', 'not_https'],
    ['ftp://shop.example.com/', 'not_https'],
    ['file:///etc/passwd', 'not_https'],
    ['https://user:secret@shop.example.com/', 'credentials'],
    ['https://shop.example.com:22/', 'port'],
    ['https://shop.example.com:80/', 'port'],
    ['https://localhost/', 'not_public'],
    ['https://receiver/', 'not_public'],
    ['https://receiver./', 'not_public'],
    ['https://api.localhost/', 'not_public'],
    ['https://metadata.google.internal/', 'not_public'],
    ['https://127.0.0.1/', 'not_public'],
    ['https://127.1/', 'not_public'],
    ['https://2130706433/', 'not_public'],
    ['https://0x7f000001/', 'not_public'],
    ['https://0177.0.0.1/', 'not_public'],
    ['https://0/', 'not_public'],
    ['https://①②⑦.0.0.1/', 'not_public'],
    ['https://[::1]/', 'not_public'],
    ['https://[::ffff:127.0.0.1]/', 'not_public'],
    ['https://[fe80::1]/', 'not_public'],
    ['https://169.254.169.254/latest/meta-data/', 'not_public'],
  ])('%s: is refused as %s', (url, refusal) => {
    expect(targetOf(url, [])).toBe(refusal)
  })

  test.each([
    ['http://127.0.0.1:9000/hook', '127.0.0.1'],
    ['http://127.0.0.1:9000/hook', '127.0.0.1:9000'],
    ['https://receiver:4443/hook', 'receiver'],
    ['http://[::1]:9000/', '[::1]'],
  ])('%s: can be sent to where the operator vouches for %s', (url, host) => {
    expect(targetOf(url, [host])).toMatchObject({ allowed: true })
  })

  test('a vouched host: vouches for no other port, where it names one', () => {
    expect(targetOf('http://127.0.0.1:9001/', ['127.0.0.1:9000'])).toBe('not_https')
  })
})
