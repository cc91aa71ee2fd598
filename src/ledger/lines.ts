import { createReadStream } from 'node:fs'

const CHUNK_BYTES = 1024 * 1024
/** No line that we read is near this long, so a file that has one is none of ours. */
const LINE_CHARACTERS_MAX = 16 * 1024 * 1024

/** A file has a line that is longer than any of ours. */
export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError'
}

/**
 * The lines of a file in batches, without their ends. A last line without an end is left out.
 *
 * @param onRead told how many characters were read
 * @param chunkBytes how much is read at a time
 * @returns whether the last line had an end
 */
export async function* readLines(
  file: string,
  onRead: (characters: number) => void = () => undefined,
  chunkBytes = CHUNK_BYTES,
): AsyncGenerator<string[], boolean> {
  let rest = ''
  const stream = createReadStream(file, { encoding: 'utf8', highWaterMark: chunkBytes })
  for await (const chunk of stream as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > LINE_CHARACTERS_MAX) throw new LineTooLongError('A line is too long.')
    onRead(chunk.length)
    yield lines
  }
  return rest === ''
}
