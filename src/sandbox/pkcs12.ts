import { createHmac, randomBytes } from 'node:crypto'
import forge from 'node-forge'

const { asn1, pki, pkcs12, rc2 } = forge

const OID_RC2_40_SHA1 = '1.2.840.113549.1.12.1.6'
const OID_SHA1 = '1.3.14.3.2.26'
const ITERATIONS = 2048
const KEY_ID = 1
const IV_ID = 2
const MAC_ID = 3

interface Pkcs12Order {
  readonly certPem: string
  readonly keyPem: string
  readonly caPem: string
  readonly passphrase: string
}

/**
 * Writes a PKCS#12 file as WeChat hands them out: the key under 3DES, the certificates under
 * 40-bit RC2. OpenSSL 3 refuses it unless its legacy provider is loaded, like the real ones.
 *
 * @returns the file, Base64
 */
export function makeOldPkcs12(order: Pkcs12Order): string {
  const chain = [order.certPem, order.caPem].map((pem) => pki.certificateFromPem(pem))
  const key = pki.privateKeyFromPem(order.keyPem)
  const options = { algorithm: '3des', count: ITERATIONS, useMac: false } as const
  const plain = pkcs12.toPkcs12Asn1(key, chain, order.passphrase, options)
  const safes = asn1.fromDer(dataOf(child(plain, 1)))
  const [certificates, keys] = children(safes)
  if (!certificates || !keys) throw new Error('a PKCS#12 file holds two safes')
  const sealed = sequence(encryptCertificates(dataOf(certificates), order.passphrase), keys)
  const content = asn1.toDer(sealed).getBytes()
  const file = sequence(integer(3), dataContent(content), macOf(content, order.passphrase))
  return Buffer.from(asn1.toDer(file).getBytes(), 'binary').toString('base64')
}

function encryptCertificates(safe: string, passphrase: string): forge.asn1.Asn1 {
  const salt = randomSalt()
  const derive = (id: number, length: number) =>
    pkcs12.generateKey(passphrase, salt, id, ITERATIONS, length)
  const cipher = rc2.createEncryptionCipher(derive(KEY_ID, 5).getBytes(), 40)
  cipher.start(derive(IV_ID, 8).getBytes())
  cipher.update(forge.util.createBuffer(safe))
  cipher.finish()
  const algorithm = sequence(
    oid(OID_RC2_40_SHA1),
    sequence(octets(salt.getBytes()), integer(ITERATIONS)),
  )
  const content = node(asn1.Class.CONTEXT_SPECIFIC, 0, false, cipher.output.getBytes())
  const encrypted = sequence(integer(0), sequence(oid(oidOf('data')), algorithm, content))
  return sequence(oid(oidOf('encryptedData')), explicit(encrypted))
}

function macOf(content: string, passphrase: string): forge.asn1.Asn1 {
  const salt = randomSalt()
  const saltBytes = salt.bytes()
  const key = pkcs12.generateKey(passphrase, salt, MAC_ID, ITERATIONS, 20)
  const mac = createHmac('sha1', Buffer.from(key.getBytes(), 'binary'))
  const digest = mac.update(Buffer.from(content, 'binary')).digest('binary')
  const algorithm = sequence(oid(OID_SHA1), node(asn1.Class.UNIVERSAL, asn1.Type.NULL, false, ''))
  return sequence(sequence(algorithm, octets(digest)), octets(saltBytes), integer(ITERATIONS))
}

function randomSalt(): forge.util.ByteStringBuffer {
  return forge.util.createBuffer(randomBytes(8).toString('binary'))
}

/** The octets inside a ContentInfo of the kind `data`. */
function dataOf(contentInfo: forge.asn1.Asn1): string {
  const octetString = child(child(contentInfo, 1), 0)
  if (typeof octetString.value !== 'string') throw new Error('expected an octet string')
  return octetString.value
}

function dataContent(content: string): forge.asn1.Asn1 {
  return sequence(oid(oidOf('data')), explicit(octets(content)))
}

function children(parent: forge.asn1.Asn1): forge.asn1.Asn1[] {
  return Array.isArray(parent.value) ? parent.value : []
}

function child(parent: forge.asn1.Asn1, index: number): forge.asn1.Asn1 {
  const found = children(parent)[index]
  if (!found) throw new Error('unexpected shape of a PKCS#12 file')
  return found
}

type NodeValue = string | forge.asn1.Asn1[]

function node(type: forge.asn1.Class, tag: number, isConstructed: boolean, value: NodeValue) {
  return asn1.create(type, tag, isConstructed, value)
}

function sequence(...parts: forge.asn1.Asn1[]): forge.asn1.Asn1 {
  return node(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, parts)
}

function explicit(part: forge.asn1.Asn1): forge.asn1.Asn1 {
  return node(asn1.Class.CONTEXT_SPECIFIC, 0, true, [part])
}

function octets(bytes: string): forge.asn1.Asn1 {
  return node(asn1.Class.UNIVERSAL, asn1.Type.OCTETSTRING, false, bytes)
}

function oid(dotted: string): forge.asn1.Asn1 {
  return node(asn1.Class.UNIVERSAL, asn1.Type.OID, false, asn1.oidToDer(dotted).getBytes())
}

function integer(value: number): forge.asn1.Asn1 {
  const der = asn1.integerToDer(value).getBytes()
  return node(asn1.Class.UNIVERSAL, asn1.Type.INTEGER, false, der)
}

function oidOf(name: string): string {
  const dotted = pki.oids[name]
  if (dotted === undefined) throw new Error(`no object identifier ${name}`)
  return dotted
}
