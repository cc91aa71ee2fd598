import { readFileSync, writeFileSync } from 'node:fs'

/** A clock that a drill can set wrong while the process runs. */
export interface ShiftedClock {
  now(): Date
}

/**
 * The machine's time plus as many milliseconds as the file says. It is read now and at each
 * SIGUSR2; what was read is written beside it, so that a jump is seen to have happened.
 */
export function createShiftedClock(file: string): ShiftedClock {
  let shiftMs = 0
  const read = (): void => {
    shiftMs = Number(readFileSync(file, 'utf8'))
    writeFileSync(seenFile(file), String(shiftMs))
  }
  read()
  process.on('SIGUSR2', read)
  return { now: () => new Date(Date.now() + shiftMs) }
}

/** Where a process writes the shift that it goes by. */
export const seenFile = (file: string): string => `${file}.seen`
