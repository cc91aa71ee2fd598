import forge from 'node-forge'
import { beforeAll, describe, expect, test } from 'vitest'

import { makeOldPkcs12 } from '../../src/sandbox/pkcs12.js'
import { importCertificate, type CertificateSource } from '../../src/wechat/certificates.js'
import { makePki, type TestPki } from './support/tls.js'

const MCH_ID = '1900000109'
const OTHER_MCH_ID = '1900000117'
const NOW = new Date('2026-11-23T08:00:00Z')

let pki: TestPki
let expired: { readonly certPem: string; readonly keyPem: string }

beforeAll(async () => {
  pki = await makePki(MCH_ID)
  expired = selfSigned(MCH_ID, new Date(NOW.getTime() - 1_000))
})

/** A certificate of any end, which an authority would not issue any more. */
function selfSigned(commonName: string, notAfter: Date) {
  const { privateKey, publicKey } = forge.pki.rsa.generateKeyPair(1024)
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = publicKey
  certificate.serialNumber = '0A1B2C'
  certificate.validity.notBefore = new Date('2020-01-01T00:00:00Z')
  certificate.validity.notAfter = notAfter
  const name = [{ name: 'commonName', value: commonName }]
  certificate.setSubject(name)
  certificate.setIssuer(name)
  certificate.sign(privateKey, forge.md.sha256.create())
  return {
    certPem: forge.pki.certificateToPem(certificate),
    keyPem: forge.pki.privateKeyToPem(privateKey),
  }
}

const p12 = (): Buffer => {
  const { certPem, keyPem } = pki.merchant
  const order = { certPem, keyPem, caPem: pki.ca.certPem, passphrase: MCH_ID }
  return Buffer.from(makeOldPkcs12(order), 'base64')
}

const judge = (source: CertificateSource, mchId = MCH_ID) =>
  importCertificate(source, { mchId, now: NOW })

describe('importing a certificate', () => {
  test('a good one: is imported, with subject, serial number and end', () => {
    const result = judge({ p12: p12(), password: MCH_ID })
    expect(result).toEqual({
      outcome: 'imported',
      certificate: expect.objectContaining({
        serialNumber: pki.merchant.serialNo,
        subject: expect.stringContaining(`CN=${MCH_ID}`),
        notAfter: expect.stringMatching(/^20\d\d-/),
      }),
    })
    const { serialNo: serialNumber } = pki.merchant
    expect(judge(pki.merchant)).toMatchObject({
      outcome: 'imported',
      certificate: { serialNumber },
    })
  })

  test('a file that does not open: is told as a wrong password', () => {
    expect(judge({ p12: p12(), password: OTHER_MCH_ID })).toEqual({ outcome: 'wrong_password' })
  })

  test('another merchant’s: is told whose it is, also when it has expired', () => {
    const belongs = { outcome: 'belongs_to', mchId: MCH_ID }
    expect(judge(pki.merchant, OTHER_MCH_ID)).toEqual(belongs)
    expect(judge(expired, OTHER_MCH_ID)).toEqual(belongs)
  })

  test.each([
    ['text', () => ({ certPem: 'hello', keyPem: 'hello' })],
    ['bytes', () => ({ p12: Buffer.from('hello'), password: MCH_ID })],
    ['a key alone', () => ({ certPem: pki.merchant.keyPem, keyPem: pki.merchant.keyPem })],
    ['a key of another', () => ({ certPem: pki.merchant.certPem, keyPem: pki.ca.keyPem })],
  ] as const)('%s: is not a certificate', (_what, source) => {
    expect(judge(source())).toEqual({ outcome: 'not_a_certificate' })
  })

  test('one that ended a second ago: has expired', () => {
    expect(judge(expired)).toEqual({ outcome: 'expired', notAfter: '2026-11-23T07:59:59.000Z' })
    const inTime = selfSigned(MCH_ID, new Date(NOW.getTime() + 1_000))
    expect(judge(inTime)).toMatchObject({ outcome: 'imported' })
  })
})
