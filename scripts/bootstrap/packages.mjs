import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { cloneRoot } from './folders.mjs'
import { run } from './run.mjs'
import { say } from './say.mjs'

const LOCK_FILE = path.join(cloneRoot, 'package-lock.json')
const INSTALLED_LOCK_FILE = path.join(cloneRoot, 'node_modules', '.package-lock.json')
const STAMP_FILE = path.join(cloneRoot, 'node_modules', '.yuanlu-lock')

/** Installs exactly the locked packages, unless they are installed already. */
export async function installPackages() {
  const lock = readFileSync(LOCK_FILE)
  const stamp = createHash('sha256').update(lock).digest('hex')
  if (readStamp() === stamp) return
  if (!isInstalled(JSON.parse(lock.toString()))) await install()
  writeFileSync(STAMP_FILE, stamp)
}

async function install() {
  const count = Object.keys(JSON.parse(readFileSync(LOCK_FILE, 'utf8')).packages).length - 1
  const state = existsSync(STAMP_FILE) ? 'other than the locked ones are here' : 'none are here'
  say(`Packages: ${state}; npm installs ${count} (about 600 MB on the disk, about a minute).`)
  // npm tells its own story through this variable when it started us; else it is on the path.
  const npm = process.env.npm_execpath
  const args = ['ci', '--no-audit', '--no-fund']
  const [command, all] = npm ? [process.execPath, [npm, ...args]] : ['npm', args]
  const { status } = await run(command, all, { cwd: cloneRoot, output: 'inherit' })
  if (status !== 0) {
    throw new Error('Packages: "npm ci" failed; its own words stand above. Run it by hand.')
  }
}

function readStamp() {
  return existsSync(STAMP_FILE) ? readFileSync(STAMP_FILE, 'utf8') : undefined
}

/** Someone who ran "npm ci" by hand need not wait for a second one: npm notes what it put there. */
function isInstalled(lock) {
  if (!existsSync(INSTALLED_LOCK_FILE)) return false
  const installed = JSON.parse(readFileSync(INSTALLED_LOCK_FILE, 'utf8')).packages
  return Object.entries(lock.packages).every(([folder, { version, optional }]) => {
    if (folder === '') return true
    const found = installed[folder]
    return found === undefined ? optional === true : found.version === version
  })
}
