import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

import { cloneRoot } from './folders.mjs'
import { describeTool, recallTool } from './found-tools.mjs'
import { run } from './run.mjs'
import { say, sayWhileWaiting } from './say.mjs'
import { findOnPath } from './search-path.mjs'

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const VARIABLE = 'YUANLU_CHROMIUM'

/** Finds a Chromium on the PATH, or installs Debian's as root, or lets playwright fetch one. */
export async function findChromium() {
  const named = process.env[VARIABLE]
  if (named && existsSync(named)) return describeTool(path.resolve(named), 'variable')
  if (named) throw new Error(`Chromium: ${VARIABLE} names ${named}, which does not exist.`)
  const known = recallTool('chromium')
  if (known !== undefined && known.source !== 'variable') return known
  const found = findInstalled() ?? (await installDebianPackage()) ?? (await fetchByPlaywright())
  if (found !== undefined) return describeTool(found, 'installed')
  throw new Error(
    `Chromium: cannot be had. Install Chromium or Chrome by hand, or set ${VARIABLE} to its path.`,
  )
}

function findInstalled() {
  return PROGRAMS.map(findOnPath).find((file) => file !== undefined)
}

/** The fonts come along, since pages with Chinese text would show boxes without them. */
async function installDebianPackage() {
  if (process.getuid?.() !== 0 || findOnPath('apt-get') === undefined) return undefined
  say('Chromium: installing the packages chromium and fonts-noto-cjk (about 200 MB)')
  const stopSaying = sayWhileWaiting('Chromium')
  try {
    const options = ['-y', '-qq', '--no-install-recommends']
    await run('apt-get', ['update', '-qq'])
    const install = ['install', ...options, 'chromium', 'fonts-noto-cjk']
    const { status, text } = await run('apt-get', install)
    if (status !== 0) say(`Chromium: the package cannot be installed: ${text.trim().slice(-200)}`)
  } finally {
    stopSaying()
  }
  return findInstalled()
}

async function fetchByPlaywright() {
  say('Chromium: fetching the build of playwright (about 170 MB)')
  const require = createRequire(path.join(cloneRoot, 'package.json'))
  const { chromium } = require('playwright-core')
  if (existsSync(chromium.executablePath())) return chromium.executablePath()
  const cli = path.join(path.dirname(require.resolve('playwright-core/package.json')), 'cli.js')
  await run(process.execPath, [cli, 'install', 'chromium'], { output: 'inherit' })
  return existsSync(chromium.executablePath()) ? chromium.executablePath() : undefined
}
