import {
  createPrivateKey,
  createPublicKey,
  sign,
  verify,
  type KeyObject,
  type JsonWebKey,
} from 'node:crypto'
import { sha256 } from './canonical.js'

const SEED_BYTES = 32
const KEY_ID_DIGITS = 16
/** The fixed beginning of an Ed25519 private key in PKCS #8 (RFC 8410); the seed follows. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The key that signs seals: Ed25519, made of 32 random bytes that only the worker is given. */
export class SealingKey {
  readonly #privateKey: KeyObject
  /** 32 bytes. */
  readonly publicKey: Buffer
  /** Names the public key without telling the private one. */
  readonly id: string

  /** @throws RangeError unless the seed has 32 bytes. */
  constructor(seed: Buffer) {
    if (seed.length !== SEED_BYTES) throw new RangeError('The sealing key must have 32 bytes.')
    const key = Buffer.concat([PKCS8_PREFIX, seed])
    this.#privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
    this.publicKey = rawPublicKey(createPublicKey(this.#privateKey))
    this.id = sealKeyId(this.publicKey)
  }

  /** Signs the hash of a seal. */
  sign(hash: Buffer): Buffer {
    return sign(null, hash, this.#privateKey)
  }
}

/** The name of a public key: the first 16 hexadecimal digits of its SHA-256. */
export const sealKeyId = (publicKey: Buffer): string =>
  sha256(publicKey).toString('hex').slice(0, KEY_ID_DIGITS)

/** Tells whether the holder of a key has signed the hash of a seal. */
export const isSealedBy = (publicKey: KeyObject, hash: Buffer, signature: Buffer): boolean =>
  verify(null, hash, publicKey, signature)

/** @param raw 32 bytes, as the table `seal_keys` holds them. */
export const publicKeyOf = (raw: Buffer): KeyObject =>
  createPublicKey({ key: jwkOf(raw), format: 'jwk' })

/** A public key in PEM, the form in which people hand it on. */
export const publicKeyPem = (raw: Buffer): string =>
  publicKeyOf(raw).export({ format: 'pem', type: 'spki' }).toString()

/**
 * Reads a public key in PEM and answers its 32 bytes.
 * @throws Error when the text is no Ed25519 public key.
 */
export function readPublicKey(pem: string): Buffer {
  const key = createPublicKey(pem)
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('This is not an Ed25519 key.')
  return rawPublicKey(key)
}

const jwkOf = (raw: Buffer): JsonWebKey => ({
  kty: 'OKP',
  crv: 'Ed25519',
  x: raw.toString('base64url'),
})

const rawPublicKey = (key: KeyObject): Buffer =>
  Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url')
