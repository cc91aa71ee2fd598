import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'

const READABLE_BY_US_ALONE = 0o600

/**
 * Answers what an earlier start has stored in a file, or makes it now.
 *
 * @throws Error when the file is there but cannot be read.
 */
export async function keepSecret(file: string, make: () => string): Promise<string> {
  const known = await readIfThere(file)
  if (known !== undefined) return known.trim()
  const made = make()
  await writeSecret(file, `${made}\n`)
  return made
}

/** Writes a file that only we can read. */
export async function writeSecret(file: string, text: string): Promise<void> {
  await writeFile(file, text, { mode: READABLE_BY_US_ALONE })
}

/** The text of a file; undefined when it is not there. */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** A key of 256 random bits in Base64, as `YUANLU_MASTER_KEY` and `YUANLU_LEDGER_KEY` take it. */
export const newKey = (): string => randomBytes(32).toString('base64')

/** A password that needs no escaping in an address. */
export const newPassword = (): string => randomBytes(24).toString('base64url')
