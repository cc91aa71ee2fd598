import { randomBytes } from 'node:crypto'

import { signFields } from './sign.js'
import type { SignType } from './sign.js'
import { writeXml, xmlText } from './xml-writer.js'

/** Who asks: the merchant number and what its messages are signed with. */
export interface V2Merchant {
  readonly mchId: string
  /** The API key of V2; secret. */
  readonly apiKey: string
  readonly signType: SignType
}

/** A call's own fields, without merchant, nonce and signature; empty ones are left out. */
export type RequestFields = Readonly<Record<string, string | undefined>>

/** 32 hexadecimal characters from the system's random source, as long as V2 allows. */
export function createNonce(): string {
  return randomBytes(16).toString('hex')
}

/**
 * Completes, signs and writes the body of a call. `sign_type` is always sent, so it takes part in
 * the signature, and values are made safe for XML before they are signed.
 */
export function writeRequest(request: RequestFields, merchant: V2Merchant, nonce: string): string {
  const fields = new Map<string, string>()
  const complete = {
    ...request,
    mch_id: merchant.mchId,
    nonce_str: nonce,
    sign_type: merchant.signType,
  }
  for (const [name, value] of Object.entries(complete)) {
    const text = xmlText(value ?? '')
    if (text !== '') fields.set(name, text)
  }
  fields.set('sign', signFields(fields, merchant.apiKey, merchant.signType))
  return writeXml(fields)
}
