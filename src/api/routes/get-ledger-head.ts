import type { Static } from 'typebox'
import { CodedError } from '../../domain/errors.js'
import { ledgerHead, ledgerHeadOfDay, type Head } from '../../ledger/heads.js'
import { publicKeyPem } from '../../ledger/seal-key.js'
import type { ApiContext } from '../context.js'
import { named } from '../schemas/fields.js'
import { LedgerHead, LedgerHeadQuery } from '../schemas/ledger.js'
import { problems } from '../schemas/problem.js'
import type { ApiServer } from '../server-type.js'

/** GET /v1/ledger/head: the last seal of the book, or of a day. */
export function getLedgerHeadRoute(app: ApiServer, { db }: ApiContext): void {
  app.get(
    '/ledger/head',
    {
      config: { scopes: ['ledger:read'] },
      schema: {
        operationId: 'getLedgerHead',
        summary: 'Get the last seal of the book',
        tags: ['ledger'],
        querystring: LedgerHeadQuery,
        response: { 200: named(LedgerHead), ...problems(400, 401, 403, 404, 503) },
      },
    },
    async ({ query: { day } }) => {
      const head = day === undefined ? await ledgerHead(db) : await headOfDay(db, day)
      if (head === undefined) throw new CodedError('not_found')
      return headView(head)
    },
  )
}

/** A day that no calendar has is one on which nothing was sealed. */
async function headOfDay(db: ApiContext['db'], day: string): Promise<Head | undefined> {
  const midnight = new Date(`${day}T00:00:00Z`)
  const isDay = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day)
  return isDay ? ledgerHeadOfDay(db, day) : undefined
}

const headView = (head: Head): Static<typeof LedgerHead> => ({
  sealNo: head.sealNo,
  lastSeq: head.lastSeq,
  hash: head.hash.toString('hex'),
  keyId: head.keyId,
  publicKey: publicKeyPem(head.publicKey),
  signature: head.signature.toString('base64'),
  sealedAt: head.sealedAt.toISOString(),
})
