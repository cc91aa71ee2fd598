import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createWeChatChannel } from '../../src/wechat/channel.js'
import type { WeChatAccount } from '../../src/wechat/channel.js'
import { holdOfProtocolFailure, holdOfTlsFailure } from '../../src/wechat/v2/error-codes.js'
import { startChannelToSandbox } from './support/sandbox-channel.js'
import type { ChannelToSandbox } from './support/sandbox-channel.js'
import { makePki } from './support/tls.js'

const WAITING = { urgency: 'waiting' } as const

let peer: ChannelToSandbox

beforeAll(async () => {
  peer = await startChannelToSandbox()
})

afterAll(() => peer.stop())

/** What a refund of an account with something wrong about it comes to. */
async function refundWith(change: Partial<WeChatAccount>): Promise<unknown> {
  const [{ mchId, apiV2Key, certPem, keyPem }] = peer.sandbox.merchants
  const channel = createWeChatChannel({
    mchId,
    apiV2Key,
    signType: 'MD5',
    opUserId: mchId,
    baseUrl: peer.sandbox.url,
    caPem: peer.sandbox.caPem,
    clientCertificate: { certPem, keyPem },
    ...change,
  })
  try {
    return await channel.submitRefund(peer.refund, WAITING)
  } finally {
    await channel.close()
  }
}

const SUSPECTED = { kind: 'unknown', code: 'return_code_fail', hold: 'credentials' }

describe('An account with something wrong about it', () => {
  test('another API key: nothing is concluded, and the account is to be held', async () => {
    expect(await refundWith({ apiV2Key: 'x'.repeat(32) })).toMatchObject(SUSPECTED)
  })

  test('the certificate of another merchant: likewise', async () => {
    const [, { certPem, keyPem }] = peer.sandbox.merchants
    expect(await refundWith({ clientCertificate: { certPem, keyPem } })).toMatchObject(SUSPECTED)
  })

  test('a merchant number that does not exist: likewise', async () => {
    expect(await refundWith({ mchId: '1999999999' })).toMatchObject(SUSPECTED)
  })

  test('no certificate: refused before anything is sent', async () => {
    const [{ mchId, apiV2Key }] = peer.sandbox.merchants
    const bare = { mchId, apiV2Key, signType: 'MD5', opUserId: mchId } as const
    const channel = createWeChatChannel({ ...bare, baseUrl: 'https://127.0.0.1:1' })
    expect(await channel.submitRefund(peer.refund, WAITING)).toEqual({
      kind: 'refused',
      code: 'no_client_certificate',
      message: expect.stringMatching(/not sent/),
      retry: 'after_change',
      hold: 'credentials',
    })
    await channel.close()
  })

  test('a key that is not the certificate’s: nothing is sent', async () => {
    const [{ certPem }, { keyPem }] = peer.sandbox.merchants
    expect(await refundWith({ clientCertificate: { certPem, keyPem } })).toMatchObject({
      kind: 'unknown',
      code: 'tls_error',
      hold: 'credentials',
    })
  })

  test('a server that hangs up on the certificate: nothing is concluded', async () => {
    const [strict, stranger] = await Promise.all([makePki('1'), makePki('1')])
    const server = createServer(
      {
        cert: strict.server.certPem,
        key: strict.server.keyPem,
        ca: strict.ca.certPem,
        requestCert: true,
        rejectUnauthorized: true,
      },
      (_, response) => response.end(),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const { certPem, keyPem } = stranger.merchant
    const outcome = await refundWith({
      baseUrl: `https://127.0.0.1:${port}`,
      caPem: strict.ca.certPem,
      clientCertificate: { certPem, keyPem },
    })
    await new Promise((resolve) => server.close(resolve))
    expect(outcome).toMatchObject({ kind: 'unknown', code: 'network_error', retry: 'soon' })
  })
})

describe('What an unsigned text lets one suspect', () => {
  test.each([
    ['签名错误', 'credentials'],
    ['SIGN ERROR', 'credentials'],
    ['证书校验错误', 'credentials'],
    ['商户号不存在', 'credentials'],
    ['appid不存在', 'credentials'],
    ['mch_id参数格式错误', 'credentials'],
    ['invalid refund_fee', undefined],
    ['系统繁忙,请稍后再试', undefined],
    ['', undefined],
  ])('return_msg "%s": hold %s', (message, hold) => {
    expect(holdOfProtocolFailure(message)).toBe(hold)
  })

  test.each([
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'credentials'],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'credentials'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'credentials'],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'credentials'],
    ['SELF_SIGNED_CERT_IN_CHAIN', undefined],
    ['CERT_HAS_EXPIRED', undefined],
  ])('TLS code %s: hold %s', (code, hold) => {
    expect(holdOfTlsFailure(code)).toBe(hold)
  })
})
