import { randomText } from './ids.js'
import type { Merchant } from './records.js'
import type { RefusedError } from './refusal.js'
import type { Fields, SignType } from './sign.js'
import { signFields } from './sign.js'
import { writeFlatXml } from './xml.js'

export interface V2Document {
  readonly kind: 'document'
  readonly status: number
  readonly type: string
  readonly text: string
  /** Whether only the first half is sent before the connection breaks. */
  readonly isCut?: true
}

/**
 * What the server is to do: write a document, or say nothing, and break the connection after a
 * while or leave it to the client to go away.
 */
export type V2Reply = V2Document | { readonly kind: 'silence'; readonly ms: number | 'for_good' }

/** Whose answer it is and how it is signed, once that is known. */
export interface Caller {
  readonly merchant: Merchant
  readonly signType: SignType
}

/** An answer on the level of the business, with the caller's ids and the signature it asked for. */
export function signedReply(caller: Caller, result: Fields): V2Document {
  const { merchant, signType } = caller
  const answer = {
    return_code: 'SUCCESS',
    return_msg: 'OK',
    appid: merchant.appId,
    mch_id: merchant.mchId,
    nonce_str: randomText(16),
    ...result,
  }
  return xmlReply({ ...answer, sign: signFields(answer, merchant.apiV2Key, signType) })
}

/** A refusal on its own level; one of the protocol's level is never signed. */
export function refusalReply(refused: RefusedError, caller: Caller | undefined): V2Document {
  const error = { err_code: refused.code, err_code_des: refused.message }
  if (refused.level === 'business' && caller) {
    return signedReply(caller, { result_code: 'FAIL', ...error })
  }
  const head = { return_code: 'FAIL', return_msg: refused.message, result_code: 'FAIL' }
  return xmlReply({ ...head, ...error })
}

export function xmlReply(fields: Fields): V2Document {
  const text = writeFlatXml(fields)
  return { kind: 'document', status: 200, type: 'text/xml; charset=utf-8', text }
}
