import { readFileSync } from 'node:fs'

const FOLDER = new URL('../../fixtures/wechat/', import.meta.url)

export interface Vector {
  readonly id: string
  readonly kind: string
  readonly inputs: {
    readonly params?: Readonly<Record<string, string>>
    readonly key?: string
    readonly sign_type?: 'MD5' | 'HMAC-SHA256'
    readonly string_to_sign?: string
    readonly xml_file?: string
    readonly api_key?: string
    readonly req_info?: string
    readonly plaintext?: string
    readonly ciphertext_base64?: string
  }
  readonly expected: Readonly<Record<string, string | boolean>>
}

export function readFixture(name: string): Buffer {
  return readFileSync(new URL(name, FOLDER))
}

/** The published vectors of the given kinds. */
export function vectorsOf(...kinds: readonly string[]): readonly Vector[] {
  const { vectors } = JSON.parse(readFixture('v2-vectors.json').toString('utf8')) as {
    vectors: readonly Vector[]
  }
  return vectors.filter(({ kind }) => kinds.includes(kind))
}
