import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'

import { Connection } from '@temporalio/client'
import { describe, expect, inject, test } from 'vitest'

import { SEARCH_ATTRIBUTES } from '../../src/cli/local/search-attributes.js'
import { cloneRoot } from '../../src/cli/local/clone.js'
import { findTool } from '../../src/cli/local/tools.js'
import { readEnvironment } from './compose-file.js'

const run = promisify(execFile)
const NAMESPACE = 'compose-job'

const script = (name: string): string => path.join(cloneRoot, 'deploy', name)

describe('the jobs of docker-compose.yml', () => {
  test('make-env.sh: fills every secret, each time with other bytes', async () => {
    const [first, second] = await Promise.all([
      run('sh', [script('make-env.sh')]),
      run('sh', [script('make-env.sh')]),
    ])
    const secrets = Object.entries(readEnvironment(first.stdout)).filter(([name]) => {
      return /PASSWORD|KEY/.test(name)
    })
    const others = readEnvironment(second.stdout)
    expect(secrets.length).toBe(7)
    for (const [name, value] of secrets) {
      expect(value).toMatch(name.endsWith('KEY') ? /^[\w+/]{43}=$/ : /^[0-9a-f]{48}$/)
      expect(others[name]).not.toBe(value)
    }
  })

  test('make-temporal-namespace.sh: makes what workflows set, and can be run again', async () => {
    const address = inject('temporalAddress')
    const env = {
      PATH: `${path.dirname(findTool('temporalCli'))}:/usr/bin:/bin`,
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: NAMESPACE,
      TEMPORAL_SETTLE_SECONDS: '0',
    }
    await run('sh', [script('make-temporal-namespace.sh')], { env })
    const again = await run('sh', [script('make-temporal-namespace.sh')], { env })
    expect(again.stdout).toBe(`The namespace ${NAMESPACE} and its search attributes are there.\n`)

    const connection = await Connection.connect({ address })
    try {
      const { customAttributes } = await connection.operatorService.listSearchAttributes({
        namespace: NAMESPACE,
      })
      const kinds = { 2: 'Keyword', 3: 'Int', 6: 'Datetime' } as Record<number, string>
      const made = Object.entries(customAttributes).map(([name, kind]) => [name, kinds[kind]])
      expect(Object.fromEntries(made)).toEqual(SEARCH_ATTRIBUTES)
    } finally {
      await connection.close()
    }
  }, 120_000)
})
