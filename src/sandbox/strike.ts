import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from './faults.js'
import { refuseBusiness, refuseByFault } from './refusal.js'
import type { V2Document, V2Reply } from './v2-reply.js'
import { xmlReply } from './v2-reply.js'

const SILENCE_MS = 30_000
const SLOW_MS = 3_000
const ERROR_PAGE =
  '<html><head><title>502 Bad Gateway</title></head>' +
  '<body><center><h1>502 Bad Gateway</h1></center><hr></body></html>'
const TOO_MANY_PAGE = '<html><head><title>429 Too Many Requests</title></head><body></body></html>'

const SPOILING = ['timeout_after', 'cut', 'bad_sign'] as const

/**
 * A fault that strikes before anything has happened: an answer instead, or a wait.
 *
 * @throws RefusedError where the fault is a refusal
 */
export async function strikeBefore(fault: Fault | undefined): Promise<V2Reply | undefined> {
  switch (fault?.fault) {
    case 'timeout_before':
      return silence(fault)
    case 'silent':
      return { kind: 'silence', ms: 'for_good' }
    case 'html':
      return page(502, ERROR_PAGE)
    case 'too_many':
      return page(429, TOO_MANY_PAGE)
    case 'return_fail':
      return xmlReply({ return_code: 'FAIL', return_msg: '系统繁忙,请稍后再试' })
    case 'systemerror':
      throw refuseBusiness('SYSTEMERROR')
    case 'not_enough':
      throw refuseBusiness('NOTENOUGH')
    case 'error':
      throw refuseByFault(fault.code ?? 'SYSTEMERROR')
    case 'slow':
      await sleep(fault.ms ?? SLOW_MS, undefined, { ref: false })
      return undefined
    default:
      return undefined
  }
}

const page = (status: number, text: string): V2Document => ({
  kind: 'document',
  status,
  type: 'text/html; charset=utf-8',
  text,
})

/** Whether the call is carried out and only its answer suffers. */
export function isSpoiling(fault: Fault | undefined): fault is Fault {
  return SPOILING.some((kind) => kind === fault?.fault)
}

/** A fault that takes the answer, whatever it says, or spoils it. */
export function strikeAfter(fault: Fault | undefined, reply: V2Document): V2Reply {
  switch (fault?.fault) {
    case 'timeout_after':
      return silence(fault)
    case 'cut':
      return { ...reply, isCut: true }
    case 'bad_sign':
      return { ...reply, text: withWrongSign(reply.text) }
    default:
      return reply
  }
}

/** The last character of the signature becomes another one, so that its length stays right. */
function withWrongSign(text: string): string {
  return text.replace(
    /<sign><!\[CDATA\[(\w+)(\w)\]\]>/,
    (_, most: string, last: string) => `<sign><![CDATA[${most}${last === '0' ? '1' : '0'}]]>`,
  )
}

function silence(fault: Fault): V2Reply {
  return { kind: 'silence', ms: fault.ms ?? SILENCE_MS }
}
