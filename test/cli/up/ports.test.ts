import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'

import { expect, test } from 'vitest'

import { findFreePort } from '../../../src/cli/local/free-port.js'
import { choosePorts } from '../../../src/cli/up/ports.js'
import { makeTestFolder } from '../../support/test-folder.js'

test('ports: those of the last start are taken again', async () => {
  const folder = await makeTestFolder('ports')
  const api = await findFreePort()
  await writeFile(path.join(folder, 'ports.json'), JSON.stringify({ api }))
  const first = await choosePorts(folder)
  expect(first.api).toBe(api)
  expect(await choosePorts(folder)).toEqual(first)
})

test('ports: one that somebody else has taken is replaced, the others stay', async () => {
  const folder = await makeTestFolder('ports')
  const first = await choosePorts(folder)
  const server = createServer()
  const { sandbox: port } = first
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const second = await choosePorts(folder)
  server.close()
  expect(second.sandbox).not.toBe(first.sandbox)
  expect({ ...second, sandbox: 0 }).toEqual({ ...first, sandbox: 0 })
})

test.each([
  ['what is not JSON', 'ports?'],
  ['what is no object', '7'],
  ['numbers that are no ports', '{"api": 70000, "temporal": "7233", "sandbox": 0.5}'],
])('ports: %s in their file counts as nothing', async (_name, content) => {
  const folder = await makeTestFolder('ports')
  await writeFile(path.join(folder, 'ports.json'), content)
  const ports = Object.values(await choosePorts(folder))
  expect(new Set(ports).size).toBe(7)
  expect(ports.every((port) => Number.isInteger(port) && port < 65_536)).toBe(true)
})
