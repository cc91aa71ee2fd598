import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { getPriority } from 'node:os'
import path from 'node:path'

import { describe, expect, onTestFinished, test } from 'vitest'

import { startChild, stopRecordedChildren, type RunningChild } from '../../src/cli/local/child.js'
import { findFreePort, findFreePortFrom, isPortFree } from '../../src/cli/local/free-port.js'
import { isAlive, readIdentity, writeIdentity } from '../../src/cli/local/process-identity.js'
import { claimStateFolder, findLivingOwner } from '../../src/cli/local/state-folder.js'
import { makeTestFolder } from '../support/test-folder.js'

const WAIT_FOR_EVER = 'setInterval(() => {}, 1000)'
const IGNORE_SIGINT = `process.on('SIGINT', () => {}); console.log('deaf'); ${WAIT_FOR_EVER}`

function startNode(stateDir: string, program: string, name = 'child'): Promise<RunningChild> {
  return startChild({ name, command: process.execPath, args: ['-e', program], stateDir, env: {} })
}

describe('child processes', () => {
  test('a child left behind: is found by its pid file and stopped', async () => {
    const stateDir = await makeTestFolder('children')
    const child = await startNode(stateDir, WAIT_FOR_EVER)
    await stopRecordedChildren(stateDir)
    expect(await child.exited).toBe('child got SIGINT.')
  })

  test('a child that does not listen: is ended after the grace', async () => {
    const stateDir = await makeTestFolder('children')
    const child = await startNode(stateDir, IGNORE_SIGINT)
    await expect.poll(() => readFile(child.logFile, 'utf8'), { timeout: 20_000 }).toBe('deaf\n')
    await child.stop('SIGINT', 200)
    expect(await child.exited).toBe('child got SIGKILL.')
  })

  test('a pid given to another process: is left alone', async () => {
    const stateDir = await makeTestFolder('children')
    const other = await startNode(stateDir, WAIT_FOR_EVER, 'other')
    onTestFinished(() => other.stop('SIGINT', 1_000))
    const file = path.join(stateDir, 'other.pid')
    const identity = await readIdentity(file)
    await writeFile(file, JSON.stringify({ pid: other.pid, startedAt: 'long ago' }))
    await stopRecordedChildren(stateDir)
    expect(identity !== undefined && isAlive(identity)).toBe(true)
  })

  test('a child that yields: runs below the others', async () => {
    const stateDir = await makeTestFolder('children')
    const base = { command: process.execPath, args: ['-e', WAIT_FOR_EVER], stateDir, env: {} }
    const modest = await startChild({ ...base, name: 'modest', yields: true })
    onTestFinished(() => modest.stop('SIGINT', 1_000))
    const plain = await startChild({ ...base, name: 'plain' })
    onTestFinished(() => plain.stop('SIGINT', 1_000))
    expect(getPriority(modest.pid) - getPriority(plain.pid)).toBe(10)
  })

  test('a program that does not exist: is told in one sentence', async () => {
    const stateDir = await makeTestFolder('children')
    const start = startChild({ name: 'gone', command: '/nowhere', args: [], stateDir, env: {} })
    await expect(start).rejects.toThrow('gone could not be started: spawn /nowhere ENOENT')
  })
})

describe('state folder', () => {
  test('a folder of a living process: cannot be claimed by another', async () => {
    const folder = await makeTestFolder('state')
    const owner = await startNode(await makeTestFolder('children'), WAIT_FOR_EVER)
    onTestFinished(() => owner.stop('SIGINT', 1_000))
    await writeIdentity(path.join(folder, 'owner.pid'), owner.pid)
    await expect(claimStateFolder(folder)).rejects.toThrow(`running process ${owner.pid}`)
  })

  test('a folder whose owner is gone: is taken over and released', async () => {
    const folder = path.join(await makeTestFolder('state'), 'new')
    const claimed = await claimStateFolder(folder)
    expect(await findLivingOwner(folder)).toBe(process.pid)
    await claimed.release()
    expect(await findLivingOwner(folder)).toBeUndefined()
  })
})

describe('free ports', () => {
  test('a taken port: is passed over for the next', async () => {
    const port = await findFreePort()
    const server = createServer()
    await new Promise<void>((resolve) => {
      server.listen(port, '127.0.0.1', resolve)
    })
    onTestFinished(() => {
      server.close()
    })
    expect(await isPortFree(port)).toBe(false)
    expect(await findFreePortFrom(port)).toBeGreaterThan(port)
    await expect(findFreePortFrom(port, 1)).rejects.toThrow('No free port')
  })
})
