import { readFileSync, writeFileSync } from 'node:fs'

import type { Command } from 'commander'

import { DumpError } from '../ledger/dump-reader.js'
import { FINDING_KINDS } from '../ledger/findings.js'
import { readPublicKey } from '../ledger/seal-key.js'
import { verifyDatabase } from '../ledger/verify-database.js'
import { verifyDump } from '../ledger/verify-dump.js'
import type { Verdict, VerifyOptions } from '../ledger/verify.js'
import { openAuditor } from './ledger-export.js'
import { createProgressBar } from './progress-bar.js'

interface VerifyCommandOptions {
  readonly head?: string
  readonly publicKey?: string
  readonly json?: string
}

const EXIT_NO = 1
const HASH = /^[0-9a-f]{64}$/i
const PEM = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g
/** So many are printed; the JSON holds more. */
const PRINTED_MAX = 20

/** `yuanlu ledger verify [DUMP]`: ends with 0 when the book is whole, and with 1 when it is not. */
export async function runVerify(
  dump: string | undefined,
  options: VerifyCommandOptions,
  command: Command,
): Promise<void> {
  const wanted = { ...readOptions(options, command), onProgress: createProgressBar('Checking') }
  const verdict =
    dump === undefined ? await checkDatabase(wanted) : await checkDump(dump, wanted, command)
  const json = `${JSON.stringify(verdict)}\n`
  if (options.json === '-') process.stdout.write(json)
  else process.stdout.write(`${report(verdict, wanted).join('\n')}\n`)
  if (options.json !== undefined && options.json !== '-') writeFileSync(options.json, json)
  if (!verdict.ok) process.exitCode = EXIT_NO
}

const wrongUse = (command: Command, sentence: string): never =>
  command.error(sentence, { exitCode: 2, code: 'yuanlu.wrongUse' })

function readOptions(
  { head, publicKey }: VerifyCommandOptions,
  command: Command,
): Pick<VerifyOptions, 'head' | 'publicKeys'> {
  if (head !== undefined && !HASH.test(head)) {
    wrongUse(command, 'A head is a hash of 64 hexadecimal digits.')
  }
  return {
    ...(head === undefined ? {} : { head: Buffer.from(head, 'hex') }),
    ...(publicKey === undefined ? {} : { publicKeys: readKeys(publicKey, command) }),
  }
}

function readKeys(file: string, command: Command): readonly Buffer[] {
  try {
    const keys = readFileSync(file, 'utf8').match(PEM) ?? []
    if (keys.length > 0) return keys.map(readPublicKey)
  } catch {
    // Answered below like a file without a key.
  }
  return wrongUse(command, `${file} holds no Ed25519 public key in PEM.`)
}

async function checkDatabase(options: VerifyOptions): Promise<Verdict> {
  const database = openAuditor()
  try {
    return await verifyDatabase(database, options)
  } finally {
    await database.close()
  }
}

/** A dump that is cut off or damaged is no good book; what is no dump at all is wrong use. */
async function checkDump(file: string, options: VerifyOptions, command: Command): Promise<Verdict> {
  try {
    return await verifyDump(file, options)
  } catch (error) {
    if (error instanceof DumpError) {
      if (error.problem === 'cut_off' || error.problem === 'damaged') throw error
      return wrongUse(command, error.message)
    }
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'EACCES') {
      return wrongUse(command, `${file} cannot be read: it is ${READING_ERRORS[code]}.`)
    }
    throw error
  }
}

const READING_ERRORS = {
  ENOENT: 'not there',
  EISDIR: 'a folder',
  EACCES: 'not ours to read',
} as const

function report(verdict: Verdict, { head }: VerifyOptions): string[] {
  const { entries, transfers, auditLines, seals, findings, findingsTotal } = verdict
  const audited = auditLines === null ? '' : ` and ${auditLines} lines of the audit log`
  const size = `${entries} entries with ${transfers} transfers${audited} under ${seals} seals`
  const lines = verdict.ok
    ? [`The book is whole: ${size}.`]
    : [`The book is not whole: ${findingsTotal} findings in ${size}.`, ...printed(findings)]
  if (findings.length > PRINTED_MAX) lines.push(`… and ${findingsTotal - PRINTED_MAX} more.`)
  const waiting = verdict.waiting + verdict.auditWaiting
  if (waiting > 0) lines.push(`Rows that wait for their seal: ${waiting}.`)
  if (auditLines === null) lines.push(AUDIT_UNSEALED)
  if (verdict.head !== null) {
    const { sealNo, hash, sealedAt, keyId } = verdict.head
    lines.push(`Head ${hash}`, `Seal ${sealNo} of ${sealedAt}, key ${keyId}.`)
  }
  if (verdict.keys === 'the book' && head === undefined) lines.push(NOTHING_FROM_OUTSIDE)
  return lines
}

const printed = (findings: Verdict['findings']): string[] =>
  findings
    .slice(0, PRINTED_MAX)
    .map(({ kind, where }) => `${kind}  ${where}: ${FINDING_KINDS[kind]}.`)

const AUDIT_UNSEALED = 'The audit log was not sealed yet when this dump was made.'

const NOTHING_FROM_OUTSIDE =
  'Without --head or --public-key this says that the book agrees with itself, not that its owner ' +
  'did not write it anew.'
