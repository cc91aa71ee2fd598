import { Type } from 'typebox'
import { instant } from './fields.js'

const hex = (digits: number, description: string) =>
  Type.String({ pattern: `^[0-9a-f]{${digits}}$`, description })

/** The seal that a caller keeps, so that the end of the book cannot be cut off unseen. */
export const LedgerHead = Type.Object(
  {
    sealNo: Type.Integer({ minimum: 1 }),
    lastSeq: Type.Integer({
      minimum: 1,
      description: 'How many entries and lines of the audit log were sealed up to it.',
    }),
    hash: hex(64, 'Give it to `yuanlu ledger verify --head`.'),
    keyId: hex(16, 'The key that signed it.'),
    publicKey: Type.String({ description: 'Ed25519, in PEM; compare it with what you know.' }),
    signature: Type.String({ description: 'Of the 32 bytes of the hash, in Base64.' }),
    sealedAt: instant('When it was sealed.'),
  },
  { $id: 'LedgerHead' },
)

export const LedgerHeadQuery = Type.Object({
  day: Type.Optional(
    Type.String({
      pattern: '^\\d{4}-\\d{2}-\\d{2}$',
      description: 'A Beijing day: its last seal, instead of the last of all.',
      examples: ['2026-03-01'],
    }),
  ),
})
