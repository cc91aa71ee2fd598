import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'

/** Throws unless the file's SHA-256 is the pinned one. */
export async function checkSha256(file, wanted) {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  const found = hash.digest('hex')
  if (found === wanted) return
  throw new Error(`SHA-256 is ${found}, not the pinned ${wanted}; the file is thrown away.`)
}
