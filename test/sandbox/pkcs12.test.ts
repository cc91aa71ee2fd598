import { createSecureContext } from 'node:tls'

import forge from 'node-forge'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { startTestSandbox } from '../support/sandbox.js'
import type { SandboxMerchant, TestSandbox } from '../support/sandbox.js'

let sandbox: TestSandbox
let merchant: SandboxMerchant

beforeAll(async () => {
  sandbox = await startTestSandbox()
  merchant = sandbox.merchants[0]
})

afterAll(() => sandbox.stop())

const open = (passphrase: string) =>
  forge.pkcs12.pkcs12FromAsn1(
    forge.asn1.fromDer(Buffer.from(merchant.p12Base64, 'base64').toString('binary')),
    passphrase,
  )

test('PKCS#12: is of the old kind that OpenSSL 3 refuses', () => {
  const pfx = Buffer.from(merchant.p12Base64, 'base64')
  const load = () => createSecureContext({ pfx, passphrase: merchant.mchId })
  expect(load).toThrow(/Unsupported PKCS12 PFX data/)
})

test('PKCS#12: opens with the merchant id and holds certificate, authority and key', () => {
  const file = open(merchant.mchId)
  const { certBag, pkcs8ShroudedKeyBag } = forge.pki.oids
  const certificates = file.getBags({ bagType: certBag ?? '' })[certBag ?? ''] ?? []
  const pems = certificates.map(({ cert }) => (cert ? forge.pki.certificateToPem(cert) : ''))
  expect(pems.map(compact)).toEqual([merchant.certPem, merchant.caPem].map(compact))
  const [key] =
    file.getBags({ bagType: pkcs8ShroudedKeyBag ?? '' })[pkcs8ShroudedKeyBag ?? ''] ?? []
  const expected = forge.pki.privateKeyFromPem(merchant.keyPem)
  expect(key?.key?.n.equals(expected.n)).toBe(true)
})

test('PKCS#12: a wrong passphrase is told by the MAC', () => {
  expect(() => open('1900000002')).toThrow(/MAC could not be verified/)
})

const compact = (pem: string) => pem.replace(/\s/g, '')
