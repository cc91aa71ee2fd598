import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
} from 'node:crypto'

const ALGORITHM = 'aes-256-gcm'
const FORMAT = 1
const IV_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32
const BOX_OVERHEAD = IV_BYTES + TAG_BYTES

/**
 * Envelope encryption: every secret has a data key of its own, wrapped by the master key, so that
 * the master key can be replaced without touching what it protects. The context (which account,
 * kind and version) is authenticated, so that a ciphertext copied to another row does not open.
 */
export class Envelope {
  readonly #masterKey: Buffer
  readonly #derivedKeys = new Map<string, Buffer>()
  /** Names the master key without telling it. */
  readonly kekId: string

  /** @throws RangeError unless the key has 32 bytes. */
  constructor(masterKey: Buffer) {
    if (masterKey.length !== KEY_BYTES) throw new RangeError('The master key must have 32 bytes.')
    this.#masterKey = masterKey
    this.kekId = createHash('sha256').update(masterKey).digest('hex').slice(0, 16)
  }

  seal(plaintext: Buffer | string, context: string): Buffer {
    const dataKey = randomBytes(KEY_BYTES)
    return Buffer.concat([
      Buffer.of(FORMAT),
      box(this.#masterKey, dataKey, context),
      box(dataKey, Buffer.from(plaintext), context),
    ])
  }

  /** @throws Error when the key, the context or the bytes are not those it was sealed with. */
  open(sealed: Buffer, context: string): Buffer {
    const wrappedEnd = 1 + BOX_OVERHEAD + KEY_BYTES
    if (sealed[0] !== FORMAT || sealed.length < wrappedEnd + BOX_OVERHEAD) {
      throw new Error('This is not a sealed secret.')
    }
    const dataKey = unbox(this.#masterKey, sealed.subarray(1, wrappedEnd), context)
    return unbox(dataKey, sealed.subarray(wrappedEnd), context)
  }

  /**
   * A hash of 32 bytes that only the master key can make: it finds again what must not be stored
   * in clear. Each purpose has a key of its own, so that hashes of two purposes never compare.
   */
  keyedHash(text: string, purpose: string): Buffer {
    return createHmac('sha256', this.#keyFor(purpose)).update(text).digest()
  }

  /** Deriving a key takes longer than using it, and there are few purposes. */
  #keyFor(purpose: string): Buffer {
    const known = this.#derivedKeys.get(purpose)
    if (known !== undefined) return known
    const key = Buffer.from(hkdfSync('sha256', this.#masterKey, '', purpose, KEY_BYTES))
    this.#derivedKeys.set(purpose, key)
    return key
  }
}

function box(key: Buffer, plaintext: Buffer, context: string): Buffer {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv(ALGORITHM, key, iv).setAAD(Buffer.from(context))
  const body = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), body])
}

function unbox(key: Buffer, sealed: Buffer, context: string): Buffer {
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, IV_BYTES))
    .setAAD(Buffer.from(context))
    .setAuthTag(sealed.subarray(IV_BYTES, BOX_OVERHEAD))
  return Buffer.concat([decipher.update(sealed.subarray(BOX_OVERHEAD)), decipher.final()])
}
