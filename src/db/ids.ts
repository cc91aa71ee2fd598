import { randomBytes } from 'node:crypto'
import { newNumber, uuidV7 } from '../domain/ids.js'

/** A new row id: a UUID of version 7 from the system's generator. */
export const newId = (now: Date): string => uuidV7(now.getTime(), randomBytes(10))

/** A new order number, for callers that give none. */
export const newOutTradeNo = (now: Date): string => newNumber('P', now.getTime(), randomBytes(16))

/** A new refund number; it is never made twice for one refund. */
export const newOutRefundNo = (now: Date): string => newNumber('R', now.getTime(), randomBytes(16))
