import type { CallName, V2CallName } from './call-names.js'
import { FAULT_KINDS, FAULTS_OF_CALL, type Fault, type FaultKind, type Faults } from './faults.js'
import { refuseParameter } from './refusal.js'
import type { Fields } from './sign.js'

/** `[sandbox:late]`, `[sandbox:late:600000]`, `[sandbox:error:NOAUTH]`. */
const SENTINEL = /\[sandbox:([^\]:]*)(?::([^\]]*))?\]/g
const MILLISECONDS = /^\d{1,9}$/
const ERROR_CODE = /^[A-Z][0-9A-Z_]{0,31}$/

interface Place {
  /** The fields that a person's text comes in. */
  readonly fields: readonly string[]
  /** What names the order or the refund. */
  readonly number: 'out_trade_no' | 'out_refund_no'
  readonly notification: CallName
}

const PLACES: Partial<Readonly<Record<V2CallName, Place>>> = {
  unifiedorder: {
    fields: ['body', 'attach'],
    number: 'out_trade_no',
    notification: 'notify_payment',
  },
  refund: { fields: ['refund_desc'], number: 'out_refund_no', notification: 'notify_refund' },
}

/**
 * Faults that stand in the texts of an order or a refund, so that whoever tries a shop by hand can
 * have them without the control API. A number arms what its texts name once, however often the
 * same request comes.
 */
export class Sentinels {
  readonly #faults: Faults
  readonly #read = new Set<string>()

  constructor(faults: Faults) {
    this.#faults = faults
  }

  /** @throws RefusedError `PARAM_ERROR` for a fault that there is not, or not here */
  read(call: V2CallName, fields: Fields): void {
    const place = PLACES[call]
    if (place === undefined) return
    const armed = place.fields.flatMap((field) => {
      return [...(fields[field] ?? '').matchAll(SENTINEL)].map(([, kind = '', argument]) => {
        const fault = faultOf(call, place, { kind, argument, number: fields[place.number] ?? '' })
        if (fault === undefined) throw refuseParameter(field, '中没有这样的沙箱故障')
        return fault
      })
    })
    const subject = `${call} ${fields['mch_id']} ${fields[place.number]}`
    if (armed.length === 0 || this.#read.has(subject)) return
    this.#read.add(subject)
    this.#faults.arm(armed)
  }
}

interface Named {
  readonly kind: string
  readonly argument: string | undefined
  readonly number: string
}

function faultOf(
  call: V2CallName,
  { number: name, notification }: Place,
  { kind, argument, number }: Named,
): Fault | undefined {
  const fault = FAULT_KINDS.find((known) => known === kind)
  if (fault === undefined) return undefined
  const struck = FAULTS_OF_CALL[notification].includes(fault) ? notification : call
  const more = argumentOf(fault, argument)
  if (!FAULTS_OF_CALL[struck].includes(fault) || more === undefined) return undefined
  const by = name === 'out_trade_no' ? { outTradeNo: number } : { outRefundNo: number }
  return { match: { call: struck, ...by }, fault, ...more, times: 1 }
}

/** Undefined where it is not what the fault takes: a code for `error`, milliseconds for others. */
function argumentOf(
  fault: FaultKind,
  argument: string | undefined,
): Pick<Fault, 'ms' | 'code'> | undefined {
  if (fault === 'error') {
    return ERROR_CODE.test(argument ?? '') ? { code: argument ?? '' } : undefined
  }
  if (argument === undefined) return {}
  return MILLISECONDS.test(argument) ? { ms: Number(argument) } : undefined
}
