import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  X509Certificate,
} from 'node:crypto'
import { createSecureContext } from 'node:tls'

import forge from 'node-forge'
import { beforeAll, describe, expect, test } from 'vitest'

import { makeOldPkcs12 } from '../../src/sandbox/pkcs12.js'
import { CertificateError, loadClientCertificate } from '../../src/wechat/certificates.js'
import type { CertificateSource } from '../../src/wechat/certificates.js'
import { makePki } from './support/tls.js'
import type { TestPki } from './support/tls.js'

const MCH_ID = '1900000109'

let pki: TestPki
let oldP12: Buffer

/** The reason of a refusal; the message must not hold any of the material. */
function refusalOf(source: CertificateSource): string {
  try {
    loadClientCertificate(source)
    return 'accepted'
  } catch (error) {
    expect(error).toBeInstanceOf(CertificateError)
    expect((error as Error).message).toMatch(/^[A-Za-z0-9#(),. ]{1,90}$/)
    return (error as CertificateError).reason
  }
}

function modernP12(
  algorithm: 'aes256' | '3des',
  pems: readonly string[],
  password = MCH_ID,
): Buffer {
  const key = forge.pki.privateKeyFromPem(pki.merchant.keyPem)
  const certificates = pems.map((pem) => forge.pki.certificateFromPem(pem))
  const asn1 = forge.pkcs12.toPkcs12Asn1(key, certificates, password, { algorithm })
  return Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'binary')
}

beforeAll(async () => {
  pki = await makePki(MCH_ID)
  const { certPem, keyPem } = pki.merchant
  const order = { certPem, keyPem, caPem: pki.ca.certPem, passphrase: MCH_ID }
  oldP12 = Buffer.from(makeOldPkcs12(order), 'base64')
})

describe('Client certificate', () => {
  test('a PEM pair: serial number, subject and end of validity', () => {
    const { certPem, keyPem } = pki.merchant
    const loaded = loadClientCertificate({ certPem, keyPem })
    expect(loaded).toEqual({
      certPem: new X509Certificate(certPem).toString(),
      keyPem,
      serialNumber: pki.merchant.serialNo,
      subject: expect.stringContaining(`CN=${MCH_ID}`),
      notAfter: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
    })
    expect(loaded.serialNumber).toMatch(/^[0-9A-F]+$/)
  })

  test('WeChat’s old PKCS#12: Node refuses it, and it opens all the same', () => {
    expect(() => createSecureContext({ pfx: oldP12, passphrase: MCH_ID })).toThrow(
      'Unsupported PKCS12 PFX data',
    )
    const loaded = loadClientCertificate({ p12: oldP12, password: MCH_ID })
    expect(loaded.serialNumber).toBe(pki.merchant.serialNo)
    const certificate = new X509Certificate(loaded.certPem)
    expect(certificate.checkPrivateKey(createPrivateKey(loaded.keyPem))).toBe(true)
    expect(() => createSecureContext({ cert: loaded.certPem, key: loaded.keyPem })).not.toThrow()
  })

  test.each(['aes256', '3des'] as const)('a newer PKCS#12 with %s opens too', (algorithm) => {
    // The authority stands first: the certificate is the one that belongs to the key.
    const p12 = modernP12(algorithm, [pki.ca.certPem, pki.merchant.certPem])
    expect(loadClientCertificate({ p12, password: MCH_ID }).serialNumber).toBe(
      pki.merchant.serialNo,
    )
  })

  test('refused: a wrong password', () => {
    expect(refusalOf({ p12: oldP12, password: '1900000110' })).toBe('wrong_password')
    expect(refusalOf({ p12: oldP12, password: '' })).toBe('wrong_password')
    const modern = modernP12('aes256', [pki.merchant.certPem])
    expect(refusalOf({ p12: modern, password: 'x' })).toBe('wrong_password')
  })

  test('refused: what is not a certificate', () => {
    const { certPem, keyPem } = pki.merchant
    expect(refusalOf({ certPem: 'hello', keyPem })).toBe('not_a_certificate')
    expect(refusalOf({ certPem: keyPem, keyPem })).toBe('not_a_certificate')
    expect(refusalOf({ p12: Buffer.from('hello'), password: 'x' })).toBe('not_a_certificate')
    expect(refusalOf({ p12: Buffer.alloc(0), password: 'x' })).toBe('not_a_certificate')
    expect(refusalOf({ p12: Buffer.from(certPem), password: 'x' })).toBe('not_a_certificate')
    expect(refusalOf({ p12: oldP12.subarray(0, 200), password: MCH_ID })).toBe('not_a_certificate')
  })

  test('refused: what is not a private key', () => {
    const { certPem, keyPem } = pki.merchant
    expect(refusalOf({ certPem, keyPem: 'hello' })).toBe('not_a_key')
    const publicKey = createPublicKey(keyPem).export({ type: 'spki', format: 'pem' }).toString()
    expect(refusalOf({ certPem, keyPem: publicKey })).toBe('not_a_key')
  })

  test('refused: a key that belongs to another certificate', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    expect(refusalOf({ certPem: pki.merchant.certPem, keyPem })).toBe('no_matching_key')
    const p12 = modernP12('aes256', [pki.ca.certPem])
    expect(refusalOf({ p12, password: MCH_ID })).toBe('no_matching_key')
  })
})
