import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { expect, test } from 'vitest'

import {
  STOP_ORDER,
  Supervisor,
  type Death,
  type Service,
  type ServiceName,
} from '../../../src/cli/up/supervisor.js'
import { until } from '../../../src/cli/up/until.js'
import { makeTestFolder } from '../../support/test-folder.js'

/** A process that exists only as far as the supervisor can see it. */
class FakeService implements Service {
  readonly name: ServiceName
  readonly logFile = 'none'
  starts = 0
  stops = 0
  end: (how: string) => void = () => undefined

  constructor(name: ServiceName) {
    this.name = name
  }

  async start() {
    this.starts += 1
    const exited = new Promise<string>((resolve) => {
      this.end = resolve
    })
    const stop = async (): Promise<void> => {
      this.stops += 1
      this.end('stopped')
    }
    return { pid: this.starts, exited, stop }
  }
}

async function makeSupervisor() {
  const journalFile = path.join(await makeTestFolder('supervisor'), 'up.log')
  const deaths: Death[] = []
  const supervisor = new Supervisor(journalFile, {
    onStarted: () => undefined,
    onDeath: (death) => deaths.push(death),
  })
  return { supervisor, deaths, journalFile }
}

const eventually = (isTrue: () => boolean): Promise<true> =>
  until(() => isTrue() || undefined, {
    what: 'it happens',
    timeoutMs: 60_000,
    pollMs: 5,
    signal: new AbortController().signal,
  })

test('supervisor: a process that ends by itself is started three more times', async () => {
  const { supervisor, deaths } = await makeSupervisor()
  const service = new FakeService('worker')
  await supervisor.start(service)
  for (const nth of [1, 2, 3, 4]) {
    service.end('it ended')
    await eventually(() => deaths.length === nth)
    if (nth < 4) await eventually(() => service.starts === nth + 1)
  }
  expect(deaths.map(({ restart }) => restart)).toEqual([1, 2, 3, undefined])
  expect(service.starts).toBe(4)
})

test('supervisor: stops in order, whatever the order of starting was, and only once', async () => {
  const { supervisor, deaths, journalFile } = await makeSupervisor()
  const services = STOP_ORDER.map((name) => new FakeService(name))
  for (const service of services.toReversed()) await supervisor.start(service)
  await Promise.all([supervisor.stop(), supervisor.stop()])
  const notes = (await readFile(journalFile, 'utf8')).trim().split('\n')
  const events = notes.map((note) => JSON.parse(note) as { event: string; name: string })
  const stopped = events.filter(({ event }) => event === 'stopped')
  expect(stopped.map(({ name }) => name)).toEqual(STOP_ORDER)
  expect(services.map(({ stops }) => stops)).toEqual([1, 1, 1, 1, 1])
  expect(deaths).toEqual([])
  await expect(supervisor.start(new FakeService('api'))).rejects.toThrow('Stopped')
})
