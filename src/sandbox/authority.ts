import 'reflect-metadata'
import { generateKeyPair, randomBytes, webcrypto } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { promisify } from 'node:util'
import * as x509 from '@peculiar/x509'

/** A certificate and its private key, both PEM. */
export interface KeyAndCertificate {
  readonly certPem: string
  readonly keyPem: string
  /** 40 upper-case hex digits. */
  readonly serialNo: string
}

/** The sandbox's own certificate authority. */
export type Authority = KeyAndCertificate

const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const
const EC = { name: 'ECDSA', namedCurve: 'P-256' } as const
const DAY_MS = 24 * 60 * 60 * 1000
const VALID_DAYS = 5 * 365
const makeKeyPair = promisify(generateKeyPair)

x509.cryptoProvider.set(webcrypto)

export interface PemKeyPair {
  readonly publicKeyPem: string
  readonly keyPem: string
}

/** A new RSA key of 2048 bits, made off the main thread. */
export async function makeRsaKey(): Promise<PemKeyPair> {
  return toPem(await makeKeyPair('rsa', { modulusLength: 2048 }))
}

/** A new key on the curve P-256: made at once, and quick in each handshake. */
async function makeEcKey(): Promise<PemKeyPair> {
  return toPem(await makeKeyPair('ec', { namedCurve: EC.namedCurve }))
}

function toPem(pair: { publicKey: KeyObject; privateKey: KeyObject }): PemKeyPair {
  return {
    publicKeyPem: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    keyPem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** Makes an authority that signs the server's and the merchants' certificates. */
export async function makeAuthority(): Promise<Authority> {
  const subject = 'CN=Yuanlu Sandbox CA,O=Yuanlu Sandbox'
  return issue({
    subject,
    kind: 'RSA',
    issuer: undefined,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
    ],
  })
}

/** A certificate for the server; `hostNames` are DNS names and IP addresses. */
export async function issueServerCertificate(
  authority: Authority,
  hostNames: readonly string[],
): Promise<KeyAndCertificate> {
  const names = hostNames.map((value) => ({
    type: isIP(value) ? ('ip' as const) : ('dns' as const),
    value,
  }))
  return issue({
    subject: 'CN=Yuanlu Sandbox,O=Yuanlu Sandbox',
    kind: 'EC',
    issuer: authority,
    extensions: [
      new x509.BasicConstraintsExtension(false),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names),
    ],
  })
}

/** The API certificate of a merchant, whose common name is the merchant id. */
export async function issueMerchantCertificate(
  authority: Authority,
  mchId: string,
): Promise<KeyAndCertificate> {
  return issue({
    subject: `CN=${mchId},OU=Sandbox merchant,O=Yuanlu Sandbox`,
    kind: 'RSA',
    issuer: authority,
    extensions: [
      new x509.BasicConstraintsExtension(false),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
        true,
      ),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
    ],
  })
}

interface Issue {
  readonly subject: string
  readonly kind: 'RSA' | 'EC'
  /** Undefined for a certificate that signs itself. */
  readonly issuer: Authority | undefined
  readonly extensions: x509.Extension[]
}

async function issue(order: Issue): Promise<KeyAndCertificate> {
  const pair = await (order.kind === 'RSA' ? makeRsaKey() : makeEcKey())
  const serialNo = makeSerialNo()
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNo,
    subject: order.subject,
    issuer: order.issuer ? new x509.X509Certificate(order.issuer.certPem).subject : order.subject,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + VALID_DAYS * DAY_MS),
    signingAlgorithm: RSA,
    publicKey: await importPublicKey(pair.publicKeyPem, order.kind),
    signingKey: await importSigningKey(order.issuer?.keyPem ?? pair.keyPem),
    extensions: order.extensions,
  })
  return { certPem: `${certificate.toString('pem')}\n`, keyPem: pair.keyPem, serialNo }
}

function importPublicKey(pem: string, kind: 'RSA' | 'EC'): Promise<webcrypto.CryptoKey> {
  const der = x509.PemConverter.decodeFirst(pem)
  return webcrypto.subtle.importKey('spki', der, kind === 'RSA' ? RSA : EC, true, ['verify'])
}

/** The authority's key, which is RSA whatever the certificate's own key is. */
function importSigningKey(pem: string): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), RSA, true, [
    'sign',
  ])
}

/** 40 hex digits, positive and without a leading zero, like those of WeChat's certificates. */
function makeSerialNo(): string {
  const [first = 0, ...rest] = randomBytes(20)
  return Buffer.from([0x40 | (first & 0x3f), ...rest])
    .toString('hex')
    .toUpperCase()
}
