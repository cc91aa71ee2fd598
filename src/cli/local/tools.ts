import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { cloneRoot } from './clone.js'

/** The programs that `scripts/bootstrap.mjs` finds or fetches. */
export type ToolName = 'temporalCli' | 'timeSkippingServer' | 'chromium'

interface FoundTool {
  readonly path: string
}

/** Where the bootstrap notes the paths of what it has found for this clone. */
const TOOLS_FILE = path.join(cloneRoot, 'node_modules', '.yuanlu-tools.json')

const PURPOSE: Readonly<Record<ToolName, string>> = {
  temporalCli: 'start',
  timeSkippingServer: 'test',
  chromium: 'browser',
}

/**
 * Answers the path of a program that the bootstrap has made ready.
 *
 * @throws Error with the command that makes it ready, when it is not.
 */
export function findTool(name: ToolName): string {
  const found = readTools()[name]?.path
  if (found !== undefined && existsSync(found)) return found
  throw new Error(`Missing: ${name}. Run "node scripts/bootstrap.mjs --for ${PURPOSE[name]}".`)
}

function readTools(): Partial<Record<ToolName, FoundTool>> {
  if (!existsSync(TOOLS_FILE)) return {}
  return JSON.parse(readFileSync(TOOLS_FILE, 'utf8')) as Partial<Record<ToolName, FoundTool>>
}
