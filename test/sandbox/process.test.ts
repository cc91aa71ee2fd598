import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'

import { Agent, request } from 'undici'
import { expect, test } from 'vitest'

const ROOT = new URL('../../', import.meta.url).pathname
const ENTRY = `
import { Command } from 'commander'
import { registerSandboxCommand } from './src/cli/sandbox.ts'
const program = new Command()
registerSandboxCommand(program)
void program.parseAsync()
`

test.each(['SIGINT', 'SIGTERM'] as const)(
  'sandbox command: tells when it is ready and ends on %s',
  async (signal) => {
    const argv = ['--import', 'tsx', '--input-type=module', '-e', ENTRY, '--', 'sandbox']
    const child = spawn(process.execPath, [...argv, '--json', '-', '--cashier-port', '0'], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
      const ready = JSON.parse(line) as { url: string; httpUrl: string; caPath: string }
      expect(ready).toMatchObject({ event: 'ready', pid: child.pid })
      expect(ready.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
      expect(ready.httpUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
      const dispatcher = new Agent({ connect: { ca: await readFile(ready.caPath, 'utf8') } })
      const reply = await request(`${ready.url}/_control/clock`, { dispatcher })
      expect(reply.statusCode).toBe(200)
      await reply.body.dump()
      await dispatcher.close()
    } finally {
      child.kill(signal)
    }
    const [status] = (await once(child, 'exit')) as [number | null]
    expect(status).toBe(0)
  },
)
