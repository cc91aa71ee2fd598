import path from 'node:path'

import type { UpOptions } from '../up.js'
import { playDemo } from './demo.js'
import { countBook } from './evidence.js'
import type { Keyboard } from './keyboard.js'
import { listenToKeys } from './keys.js'
import type { Place } from './place.js'
import { formatSeconds, printAddresses, printDeath } from './reports.js'
import type { Screen } from './screen.js'
import type { Stage } from './stage.js'
import { Supervisor } from './supervisor.js'
import { bringUp, type System } from './system.js'
import type { Texts } from './texts.js'
import { Timeline } from './timeline.js'

const DONE = 0
const NO = 1

/** What a session is given: the place is ours, and nothing has been started in it. */
export interface Session {
  readonly options: UpOptions
  readonly place: Place
  readonly texts: Texts
  readonly screen: Screen
  /** Aborted by the reader, by a signal, or by a process that cannot be kept running. */
  readonly quit: AbortController
  readonly keyboard: Keyboard | undefined
}

/** Starts everything, plays the demo where it is wanted, and stops it all; answers the status. */
export async function runSession(session: Session): Promise<number> {
  const { place, texts, screen, quit } = session
  let isBroken = false
  const supervisor = new Supervisor(path.join(place.logs, 'up.log'), {
    onStarted: (name, tookMs) => {
      if (quit.signal.aborted) return
      const ready = texts.life.ready(texts.services[name], formatSeconds(tookMs))
      screen.print(`  ${screen.dim(ready)}`)
    },
    onDeath: (death) => {
      printDeath(screen, texts, death)
      isBroken ||= death.restart === undefined
      if (isBroken) quit.abort(new Error('A process could not be kept running.'))
    },
  })
  const isGood = await runSystem(session, supervisor).catch((error: unknown) => {
    if (quit.signal.aborted) return !isJudged(session)
    screen.print('', `  ${screen.red(describe(error))}`)
    return false
  })
  await stop(session, supervisor)
  return isGood && !isBroken ? DONE : NO
}

/** A demo that a program wants to know the end of is not over when somebody quits. */
const isJudged = ({ options }: Session): boolean =>
  options.exit === true || options.json !== undefined

/** Answers whether the demo, if it was played, came to a good end. */
async function runSystem(session: Session, supervisor: Supervisor): Promise<boolean> {
  const { options, place, screen, texts, quit } = session
  screen.print('', `  ${screen.bold(texts.life.starting)}`)
  const log = (line: string): void => screen.print(`  ${line}`)
  const lan = options.lan === true
  const starting = bringUp({ place, supervisor, lan, log })
  const system = await Promise.race([starting, rejectOn(quit.signal)])
  try {
    printAddresses(screen, texts, system, place)
    const isGood = await playIfWanted(session, system)
    if (options.exit === true) return isGood
    if (session.keyboard !== undefined) listenToKeys(stageOf(session, system), { lan })
    await aborted(quit.signal)
    return isGood
  } finally {
    await system.close()
  }
}

async function playIfWanted(session: Session, system: System): Promise<boolean> {
  const { options, screen, texts, quit } = session
  const count = await countBook(system.database, system.shop.merchantId)
  if (count.payments > 0) {
    screen.print('', `  ${texts.life.goesOn(count.payments, count.refunds)}`)
  }
  const isWanted = options.demo === true || isJudged(session)
  if (count.payments > 0 && !isWanted) return true
  try {
    return await playDemo(stageOf(session, system))
  } catch (error) {
    if (quit.signal.aborted) return !isJudged(session)
    screen.print('', `  ${screen.red(texts.demo.stuck(describe(error)))}`)
    return false
  }
}

function stageOf(session: Session, system: System): Stage {
  const { options, screen, texts, keyboard, quit } = session
  const timeline = new Timeline(screen, texts, options.json)
  return { system, screen, texts, timeline, keyboard, signal: quit.signal }
}

async function stop({ screen, texts }: Session, supervisor: Supervisor): Promise<void> {
  screen.setFooter('')
  screen.print('', `  ${screen.dim(texts.life.stopping)}`)
  const beganAtMs = performance.now()
  await supervisor.stop()
  screen.print(`  ${texts.life.stopped(formatSeconds(performance.now() - beganAtMs))}`, '')
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

async function rejectOn(signal: AbortSignal): Promise<never> {
  await aborted(signal)
  throw signal.reason
}

const describe = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
