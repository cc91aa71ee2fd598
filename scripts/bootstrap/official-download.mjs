import { createWriteStream } from 'node:fs'
import path from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { checkSha256 } from './hash.mjs'
import { run } from './run.mjs'
import { formatMegabytes, say } from './say.mjs'

/** Behind a closed network the answer has to come soon, as another source is waiting. */
const ANSWER_TIMEOUT_MS = 3_000
const DOWNLOAD_TIMEOUT_MS = 300_000

/** Fetches a program from Temporal's own download address and answers its path. */
export async function fetchOfficial(tool, build, folder) {
  const { archiveUrl, fileToExtract } = await askWhere(tool)
  const archive = path.join(folder, 'archive.tar.gz')
  await download(tool, archiveUrl, archive)
  const { status, text } = await run('tar', ['-xzf', archive, '-C', folder])
  if (status !== 0) throw new Error(`the official archive cannot be unpacked: ${text.trim()}`)
  const program = path.join(folder, fileToExtract)
  await checkSha256(program, build.programSha256)
  return program
}

async function askWhere(tool) {
  const url = new URL(tool.officialUrl)
  url.searchParams.set('arch', process.arch === 'x64' ? 'amd64' : process.arch)
  url.searchParams.set('platform', process.platform)
  url.searchParams.set('format', 'tar.gz')
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
    if (!answer.ok) throw new Error(`status ${answer.status}`)
    return await answer.json()
  } catch (error) {
    const why = error.cause?.code ?? error.message
    throw new Error(`the official download address does not answer (${why}); trying the wheel.`, {
      cause: error,
    })
  }
}

async function download(tool, url, target) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) })
  if (!answer.ok || answer.body === null) throw new Error(`${url} answers ${answer.status}.`)
  const bytesAll = Number(answer.headers.get('content-length'))
  say(`${tool.title}: fetching ${tool.version}, ${formatMegabytes(bytesAll)}, from ${url}`)
  const source = Readable.fromWeb(answer.body)
  await pipeline(source, countBytes(tool, bytesAll), createWriteStream(target))
}

function countBytes(tool, bytesAll) {
  let bytes = 0
  let tenthsSaid = 0
  return new Transform({
    transform(chunk, _encoding, done) {
      bytes += chunk.length
      const tenths = Math.floor((bytes / bytesAll) * 10)
      if (tenths > tenthsSaid) say(`${tool.title}: ${tenths * 10} %`)
      tenthsSaid = Math.max(tenths, tenthsSaid)
      done(null, chunk)
    },
  })
}
