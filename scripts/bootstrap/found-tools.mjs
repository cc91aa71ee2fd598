import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { cloneRoot } from './folders.mjs'

/** Read by src/cli/local/tools.ts, which knows nothing of how a program was found. */
const TOOLS_FILE = path.join(cloneRoot, 'node_modules', '.yuanlu-tools.json')

/** Adds what was found to what this clone knows already; writes only when something is new. */
export function setTools(found) {
  const known = readTools()
  const next = JSON.stringify({ ...known, ...found }, undefined, 2)
  if (next !== JSON.stringify(known, undefined, 2)) writeFileSync(TOOLS_FILE, `${next}\n`)
}

/** Answers the path noted for a program, if the program there is still the one that was noted. */
export function recallTool(name) {
  const tool = readTools()[name]
  return tool !== undefined && tool.stamp === stampOf(tool.path) ? tool : undefined
}

/** Describes a found program; the stamp tells later whether the file is still the same. */
export function describeTool(file, source) {
  return { path: file, source, stamp: stampOf(file) }
}

function stampOf(file) {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat === undefined ? undefined : `${stat.size}-${Math.round(stat.mtimeMs)}`
}

function readTools() {
  if (!existsSync(TOOLS_FILE)) return {}
  try {
    return JSON.parse(readFileSync(TOOLS_FILE, 'utf8'))
  } catch {
    return {}
  }
}
