import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker'
import { describe, expect, test } from 'vitest'

import { cloneRoot } from '../../src/cli/local/clone.js'
import { failPointNames } from '../../src/domain/fail-points.js'
import '../../src/workflows/index.js'
import { textOf, type History } from '../support/history.js'
import { historyFromJson } from '../support/history-json.js'
import { RARER_PATHS } from '../support/rarer-paths.js'
import { useTestTemporal } from '../support/temporal.js'
import { PAYMENT_PATHS, REFUND_PATHS } from '../support/workflow-paths.js'

const RECORDED = new URL('../replay/', import.meta.url)
const CHANGED = fileURLToPath(new URL('../fixtures/workflows/changed.ts', import.meta.url))
const { workflowBundle } = useTestTemporal(import.meta.url)
const names = (await readdir(RECORDED)).filter((name) => name.endsWith('.json')).toSorted()

interface Replayed {
  readonly name: string
  readonly error: Error | undefined
}

const source = (file: string) => readFile(path.join(cloneRoot, file), 'utf8')

async function read(name: string): Promise<History> {
  return historyFromJson(JSON.parse(await readFile(new URL(name, RECORDED), 'utf8')))
}

/** Replays recorded histories against a bundle and answers how each of them went. */
async function replay(
  files: readonly string[],
  bundle: { readonly codePath: string } | { readonly code: string },
): Promise<Replayed[]> {
  const histories = await Promise.all(
    files.map(async (name) => ({ workflowId: name, history: await read(name) })),
  )
  const replayed: Replayed[] = []
  const options = { workflowBundle: bundle, replayName: 'replay' }
  for await (const { workflowId, error } of Worker.runReplayHistories(options, histories)) {
    replayed.push({ name: workflowId, error })
  }
  return replayed
}

describe('recorded histories', () => {
  test('every path through a workflow: has one', () => {
    const recorded = new Set(names.map((name) => name.replace(/^\d+\.\d+\.\d+-|\.json$/g, '')))
    const paths = [...PAYMENT_PATHS, ...REFUND_PATHS, ...RARER_PATHS].map(({ name }) => name)
    expect(paths.filter((name) => !recorded.has(name))).toEqual([])
  })

  test('every step, message and change of a workflow: stands in one of this version', async () => {
    const { version } = JSON.parse(await source('package.json')) as { version: string }
    const own = names.filter((name) => name.startsWith(`${version}-`))
    const histories = await Promise.all(own.map(read))
    // What stands in a marker is JSON within JSON.
    const text = histories.map((history) => textOf(history).replaceAll('\\', '')).join('\n')
    const points = failPointNames().filter((name) => /^[a-z]+Workflow\./.test(name))
    const changes = (await source('src/workflows/versions.ts')).matchAll(/^ {2}\| '([a-z-]+)'$/gm)
    const wanted = [
      ...points.map((name) => name.split('.').at(-1) ?? ''),
      ...[...changes].map(([, name = '']) => name),
    ]
    expect(wanted.length).toBeGreaterThan(20)
    expect(wanted.filter((name) => !text.includes(`"${name}"`))).toEqual([])
  })

  test('the workflows of today: replay all of them', async () => {
    const replayed = await replay(names, workflowBundle)
    expect(replayed.toSorted((a, b) => a.name.localeCompare(b.name))).toEqual(
      names.map((name) => ({ name, error: undefined })),
    )
  })

  test('none of them: names a machine, a folder or a secret', async () => {
    for (const name of names) {
      const text = textOf(await read(name))
      expect(text).toMatch(/"identity":"worker"/)
      expect(text, name).not.toMatch(/"identity":"\d+@|node_modules|openid-of-nobody|wx-prepay/)
    }
  })

  test('workflows changed in a forbidden way: fail to replay', async () => {
    const logger = new DefaultLogger('ERROR')
    const { code } = await bundleWorkflowCode({ workflowsPath: CHANGED, logger })
    const files = names.filter((name) => /payment-paid|refund-approved\./.test(name))
    const replayed = await replay(files, { code })
    expect(replayed.length).toBeGreaterThanOrEqual(2)
    for (const { name, error } of replayed)
      expect(error?.name, name).toBe('DeterminismViolationError')
  })
})
