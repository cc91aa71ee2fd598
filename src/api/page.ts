import type { Cursor } from '../db/payments.js'
import { isUuid } from '../domain/ids.js'
import { InvalidFields } from './field-errors.js'

/** A page of a list, newest first, and where the next one begins. */
export interface Page<T> {
  readonly items: T[]
  readonly nextCursor: string | null
}

interface Listed {
  readonly id: string
  readonly createdAt: Date
}

/**
 * Reads one row more than the page has, which tells whether there is another page.
 * @throws InvalidFields when the cursor is none of ours.
 */
export async function readPage<Row extends Listed, View>(
  query: { readonly limit: number; readonly cursor?: string | undefined },
  list: (after: Cursor | undefined, limit: number) => Promise<readonly Row[]>,
  view: (row: Row) => View,
): Promise<Page<View>> {
  const after = query.cursor === undefined ? undefined : openCursor(query.cursor)
  const rows = await list(after, query.limit + 1)
  const shown = rows.slice(0, query.limit)
  const last = shown.at(-1)
  const more = rows.length > shown.length && last !== undefined
  return { items: shown.map(view), nextCursor: more ? sealCursor(last) : null }
}

const sealCursor = ({ createdAt, id }: Listed): string =>
  Buffer.from(`${createdAt.getTime()}.${id}`).toString('base64url')

function openCursor(text: string): Cursor {
  const [time = '', id = ''] = Buffer.from(text, 'base64url').toString('utf8').split('.')
  const createdAt = new Date(Number(time))
  if (!/^\d{1,15}$/.test(time) || Number.isNaN(createdAt.getTime()) || !isUuid(id)) {
    const detail = { en: 'is not a cursor of this list', zh: '不是本列表的游标' }
    throw new InvalidFields([{ in: 'querystring', field: 'cursor', detail }])
  }
  return { createdAt, id }
}
