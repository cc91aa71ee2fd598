import { appendFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { upConfig } from '../../config.js'
import { dataFolder } from '../local/clone.js'
import type { UpOptions } from '../up.js'
import { Keyboard } from './keyboard.js'
import { textsOf } from './language.js'
import { AlreadyRunningError, openPlace } from './place.js'
import { Screen } from './screen.js'

const WRONG_USE = 2

/** Runs everything until it is told to stop; answers the exit status. */
export async function runUp(options: UpOptions): Promise<number> {
  const config = upConfig()
  const texts = textsOf(config.language)
  if (config.nodeEnv === 'production') return refuse(texts.life.refusedInProduction)
  // Where the steps go to standard output as JSON, people read on standard error.
  const stream = options.json === '-' ? process.stderr : process.stdout
  const screen = new Screen(stream, config.hasColour)
  if (!canWrite(options.json)) return refuse(texts.life.jsonNotWritable)
  const place = await openPlace(path.resolve(options.data ?? dataFolder)).catch(asError)
  if (place instanceof AlreadyRunningError) return refuse(texts.life.alreadyRunning(place.pid))
  if (place instanceof Error) return refuse(texts.life.dataNotUsable)
  const quit = new AbortController()
  const stopListening = onSignals(() => quit.abort(new Error('Asked to quit.')))
  const keyboard = openKeyboard(options, screen, quit)
  try {
    emptyFile(options.json)
    // What is refused above is refused at once: only now the rest is loaded.
    const { runSession } = await import('./session.js')
    return await runSession({ options, place, texts, screen, quit, keyboard })
  } finally {
    keyboard?.close()
    stopListening()
    await place.release()
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error('failed'))

function refuse(sentence: string): number {
  process.stderr.write(`${sentence}\n`)
  return WRONG_USE
}

function canWrite(file: string | undefined): boolean {
  if (file === undefined || file === '-') return true
  try {
    appendFileSync(file, '')
    return true
  } catch {
    return false
  }
}

/** The steps of an earlier demo are no part of this one. */
function emptyFile(file: string | undefined): void {
  if (file !== undefined && file !== '-') writeFileSync(file, '')
}

function onSignals(stop: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, stop)
  return () => {
    for (const signal of signals) process.off(signal, stop)
  }
}

/** Nothing is asked where nobody sits at a terminal, or where a program wants the answer. */
function openKeyboard(
  options: UpOptions,
  screen: Screen,
  quit: AbortController,
): Keyboard | undefined {
  const isAsked = options.exit !== true && options.json === undefined
  if (!isAsked || !process.stdin.isTTY || !screen.isTerminal) return undefined
  return new Keyboard(process.stdin, () => quit.abort(new Error('Asked to quit.')))
}
