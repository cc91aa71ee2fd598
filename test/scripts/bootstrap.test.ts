import { deflateRawSync } from 'node:zlib'

import { describe, expect, test } from 'vitest'

interface Lock {
  readonly packages: Record<string, { optionalDependencies?: Record<string, string> }>
}

/** The scripts are plain JavaScript, as they run before any package is installed. */
async function load<Module>(file: string): Promise<Module> {
  return (await import(new URL(`../../scripts/${file}`, import.meta.url).href)) as Module
}

const { findUnlockedPackages } = await load<{
  findUnlockedPackages: (lock: Lock) => { from: string; name: string }[]
}>('check/lock.mjs')
const { readZipEntry } = await load<{
  readZipEntry: (archive: Buffer, nameEnd: string) => Buffer
}>('bootstrap/zip.mjs')

describe('lock check', () => {
  const wanting = { optionalDependencies: { 'tool-darwin': '1.0.0' } }

  test.each([
    ['beside the package', 'node_modules/tool/node_modules/tool-darwin', 0],
    ['at the top', 'node_modules/tool-darwin', 0],
    ['under another package', 'node_modules/other/node_modules/tool-darwin', 1],
    ['under another name', 'node_modules/tool-linux', 1],
  ])('an optional package locked %s: leaves the right number unlocked', (_where, at, missing) => {
    const lock = { packages: { '': {}, 'node_modules/tool': wanting, [at]: {} } }
    expect(findUnlockedPackages(lock)).toHaveLength(missing)
  })

  test('an optional package of a nested package: may be locked at the top', () => {
    const nested = 'node_modules/a/node_modules/tool'
    const lock = { packages: { [nested]: wanting, 'node_modules/tool-darwin': {} } }
    expect(findUnlockedPackages(lock)).toEqual([])
  })

  test('a missing one: is named with who wants it', () => {
    const lock = { packages: { 'node_modules/tool': wanting } }
    expect(findUnlockedPackages(lock)).toEqual([{ from: 'node_modules/tool', name: 'tool-darwin' }])
  })
})

describe('ZIP reader', () => {
  const content = Buffer.from('a program '.repeat(100))

  test.each([
    ['deflated', 8],
    ['stored', 0],
  ])('an entry that is %s: comes out as it went in', (_how, method) => {
    const archive = makeZip('x.data/scripts/temporal', content, method)
    expect(readZipEntry(archive, '/scripts/temporal')).toEqual(content)
  })

  test('an entry that is not there: is named', () => {
    const archive = makeZip('x.data/scripts/temporal', content, 8)
    expect(() => readZipEntry(archive, '/scripts/other')).toThrow('no /scripts/other')
  })

  test('what is no archive: is refused', () => {
    expect(() => readZipEntry(Buffer.alloc(100), 'x')).toThrow('not a ZIP archive')
  })
})

/** Writes the smallest archive of one entry, fields by their offsets in the format. */
function makeZip(name: string, content: Buffer, method: number): Buffer {
  const packed = method === 8 ? deflateRawSync(content) : content
  const local = Buffer.alloc(30)
  local.writeUInt32LE(0x04034b50, 0)
  local.writeUInt16LE(name.length, 26)
  const entry = Buffer.alloc(46)
  entry.writeUInt32LE(0x02014b50, 0)
  entry.writeUInt16LE(method, 10)
  entry.writeUInt32LE(packed.length, 20)
  entry.writeUInt16LE(name.length, 28)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(local.length + name.length + packed.length, 16)
  return Buffer.concat([local, Buffer.from(name), packed, entry, Buffer.from(name), end])
}
