// Makes a clone ready to run: plain Node without a package, so that it works before anything is
// installed. It says what it does, fetches nothing twice, and names what it cannot get.
import { setTools } from './bootstrap/found-tools.mjs'
import { installPackages } from './bootstrap/packages.mjs'
import { say } from './bootstrap/say.mjs'
import { findChromium } from './bootstrap/chromium.mjs'
import { TEMPORAL_CLI, TIME_SKIPPING_SERVER } from './bootstrap/pinned.mjs'
import { findServerTool } from './bootstrap/server-tool.mjs'

const NODE_MAJOR_MIN = 20
const NODE_MINOR_MIN = 19

/** What each purpose needs besides the packages; looking is cheap once all is there. */
const NEEDS = {
  start: { temporalCli: () => findServerTool(TEMPORAL_CLI) },
  test: {
    temporalCli: () => findServerTool(TEMPORAL_CLI),
    timeSkippingServer: () => findServerTool(TIME_SKIPPING_SERVER),
  },
}

async function main() {
  const purpose = readPurpose(process.argv.slice(2))
  checkNode()
  const needs = purpose === 'browser' ? NEEDS.start : NEEDS[purpose]
  const names = Object.keys(needs)
  // Both halves mostly wait for the network, so they wait together.
  const results = await Promise.allSettled([
    installPackages(),
    ...names.map((name) => needs[name]()),
  ])
  throwFirst(results)
  const found = Object.fromEntries(names.map((name, index) => [name, results[index + 1].value]))
  // The last way to a browser is a program of an installed package, so this comes after them.
  if (purpose === 'browser') found.chromium = await findChromium()
  setTools(found)
}

function readPurpose(args) {
  const purpose = args.length === 2 && args[0] === '--for' ? args[1] : undefined
  if (purpose === 'browser' || Object.hasOwn(NEEDS, purpose ?? '')) return purpose
  say('Usage: node scripts/bootstrap.mjs --for start|test|browser')
  process.exit(2)
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > NODE_MAJOR_MIN || (major === NODE_MAJOR_MIN && minor >= NODE_MINOR_MIN)) return
  const wanted = `${NODE_MAJOR_MIN}.${NODE_MINOR_MIN}`
  throw new Error(`Node ${wanted} or newer is needed; this is ${process.versions.node}.`)
}

/** Every failure is printed, since the reader can often mend two things at once. */
function throwFirst(results) {
  const failures = results.filter((result) => result.status === 'rejected')
  for (const failure of failures.slice(1)) say(failure.reason.message)
  if (failures.length > 0) throw failures[0].reason
}

try {
  await main()
} catch (error) {
  say(error.message)
  process.exit(1)
}
