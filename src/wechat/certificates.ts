import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

import forge from 'node-forge'

export type CertificateRefusal =
  | 'wrong_password'
  | 'not_a_certificate'
  | 'not_a_key'
  | 'no_matching_key'

const REFUSAL_TEXT: Readonly<Record<CertificateRefusal, string>> = {
  wrong_password: 'The PKCS#12 file does not open with this password (it is the merchant id).',
  not_a_certificate: 'This is not a certificate that can be read.',
  not_a_key: 'This is not a private key that can be read.',
  no_matching_key: 'No certificate in it belongs to the private key.',
}

/** Why a merchant's certificate cannot be used. The message never holds any of the material. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError'
  readonly reason: CertificateRefusal

  constructor(reason: CertificateRefusal) {
    super(REFUSAL_TEXT[reason])
    this.reason = reason
  }
}

/** The two forms in which WeChat Pay hands out the merchant's API certificate. */
export type CertificateSource =
  | { readonly certPem: string; readonly keyPem: string }
  | { readonly p12: Uint8Array; readonly password: string }

export interface ClientCertificate {
  readonly certPem: string
  readonly keyPem: string
  /** Upper-case hex, as WeChat Pay writes it. */
  readonly serialNumber: string
  readonly subject: string
  /** ISO instant. */
  readonly notAfter: string
}

/**
 * Loads the certificate that the refund call shows.
 * @throws CertificateError saying which part is wrong.
 */
export function loadClientCertificate(source: CertificateSource): ClientCertificate {
  if (!('p12' in source)) return clientCertificate([source.certPem], source.keyPem)
  const { certPems, keyPem } = openPkcs12(source.p12, source.password)
  return clientCertificate(certPems, keyPem)
}

/** What became of a certificate that was handed in: exactly one of these. */
export type CertificateImport =
  | { readonly outcome: 'imported'; readonly certificate: ClientCertificate }
  | { readonly outcome: 'wrong_password' }
  /** Its common name is another merchant's number. */
  | { readonly outcome: 'belongs_to'; readonly mchId: string }
  | { readonly outcome: 'not_a_certificate' }
  /** `notAfter` is an ISO instant. */
  | { readonly outcome: 'expired'; readonly notAfter: string }

/**
 * Judges the certificate of a merchant number before it is kept. What cannot be read, and a
 * certificate without its private key, are no certificate that a refund could show.
 */
export function importCertificate(
  source: CertificateSource,
  expected: { readonly mchId: string; readonly now: Date },
): CertificateImport {
  let certificate: ClientCertificate
  try {
    certificate = loadClientCertificate(source)
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error
    const isPassword = error.reason === 'wrong_password'
    return { outcome: isPassword ? 'wrong_password' : 'not_a_certificate' }
  }
  const mchId = merchantOf(certificate)
  if (mchId !== expected.mchId) return { outcome: 'belongs_to', mchId }
  const { notAfter } = certificate
  if (Date.parse(notAfter) <= expected.now.getTime()) return { outcome: 'expired', notAfter }
  return { outcome: 'imported', certificate }
}

/** The merchant number a certificate was issued for: its common name (WeChat Pay, API 证书). */
export function merchantOf({ subject }: Pick<ClientCertificate, 'subject'>): string {
  const name = subject.split('\n').find((line) => line.startsWith('CN='))
  return name?.slice('CN='.length) ?? ''
}

/** A PKCS#12 file holds the authority's certificate too: ours is the one the key belongs to. */
function clientCertificate(certPems: readonly string[], keyPem: string): ClientCertificate {
  const certificates = certPems.map(readCertificate)
  const key = readKey(keyPem)
  const certificate = certificates.find((candidate) => candidate.checkPrivateKey(key))
  if (certificate === undefined) throw new CertificateError('no_matching_key')
  return {
    certPem: certificate.toString(),
    keyPem,
    serialNumber: certificate.serialNumber.toUpperCase(),
    subject: certificate.subject,
    notAfter: new Date(certificate.validTo).toISOString(),
  }
}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch {
    throw new CertificateError('not_a_certificate')
  }
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw new CertificateError('not_a_key')
  }
}

interface OpenedPkcs12 {
  readonly certPems: readonly string[]
  readonly keyPem: string
}

/**
 * Node's OpenSSL refuses the RC2-40 and 3DES encryption of WeChat's files ("Unsupported PKCS12 PFX
 * data"), so they are opened in JavaScript.
 */
function openPkcs12(p12: Uint8Array, password: string): OpenedPkcs12 {
  const store = decodePkcs12(asn1Of(p12), password)
  const certPems = bagsOf(store, ['certBag']).map((bag) =>
    bag.cert ? forge.pki.certificateToPem(bag.cert) : pemOf('CERTIFICATE', bag.asn1),
  )
  const [keyBag] = bagsOf(store, ['pkcs8ShroudedKeyBag', 'keyBag'])
  if (certPems.length === 0) throw new CertificateError('not_a_certificate')
  if (keyBag === undefined) throw new CertificateError('no_matching_key')
  const keyPem = keyBag.key
    ? forge.pki.privateKeyToPem(keyBag.key)
    : pemOf('PRIVATE KEY', keyBag.asn1)
  return { certPems, keyPem }
}

function asn1Of(p12: Uint8Array): forge.asn1.Asn1 {
  try {
    return forge.asn1.fromDer(forge.util.createBuffer(Buffer.from(p12).toString('binary')))
  } catch {
    throw new CertificateError('not_a_certificate')
  }
}

function decodePkcs12(asn1: forge.asn1.Asn1, password: string): forge.pkcs12.Pkcs12Pfx {
  try {
    return forge.pkcs12.pkcs12FromAsn1(asn1, password)
  } catch (error) {
    const isPassword = error instanceof Error && /MAC|password|decrypt/i.test(error.message)
    throw new CertificateError(isPassword ? 'wrong_password' : 'not_a_certificate')
  }
}

function bagsOf(
  store: forge.pkcs12.Pkcs12Pfx,
  kinds: readonly ('certBag' | 'keyBag' | 'pkcs8ShroudedKeyBag')[],
): forge.pkcs12.Bag[] {
  return kinds.flatMap((kind) => {
    const bagType = forge.pki.oids[kind]
    return bagType === undefined ? [] : (store.getBags({ bagType })[bagType] ?? [])
  })
}

/** Elliptic keys and their certificates come out of the library as ASN.1 only. */
function pemOf(type: string, asn1: forge.asn1.Asn1): string {
  return forge.pem.encode({ type, body: forge.asn1.toDer(asn1).getBytes() })
}
