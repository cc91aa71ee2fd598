import type { ReadStream } from 'node:tty'

const ESCAPE = '\u001b'
const INTERRUPT = '\u0003'
const END_OF_INPUT = '\u0004'
const RETURN = '\r'

/** A key as it matters here: `enter`, `quit` (also for Ctrl-C), or the letter itself. */
export type Key = string

/**
 * Reads single keys from a terminal. In its raw mode Ctrl-C is a byte like any other, so that no
 * signal reaches a process before its turn.
 */
export class Keyboard {
  readonly #stream: ReadStream
  #onKey: (key: Key) => void = () => undefined

  /** @param onQuit is told of q and Ctrl-C at any time */
  constructor(stream: ReadStream, onQuit: () => void) {
    this.#stream = stream
    stream.setRawMode(true)
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string | Buffer) => {
      for (const key of keysOf(String(chunk))) {
        if (key === 'quit') onQuit()
        else this.#onKey(key)
      }
    })
    stream.on('end', onQuit)
  }

  /** Hands every further key to this listener and to no other. */
  listen(onKey: (key: Key) => void): void {
    this.#onKey = onKey
  }

  /** Gives the terminal back as it was. */
  close(): void {
    this.#stream.removeAllListeners('data')
    this.#stream.setRawMode(false)
    this.#stream.pause()
  }
}

/** An arrow or function key arrives as an escape sequence, of which nothing is meant for us. */
function keysOf(chunk: string): Key[] {
  if (chunk.startsWith(ESCAPE)) return []
  return Array.from(chunk, (character) => {
    if (character === RETURN || character === '\n') return 'enter'
    const isQuit = character === INTERRUPT || character === END_OF_INPUT
    return isQuit || character.toLowerCase() === 'q' ? 'quit' : character.toLowerCase()
  })
}
