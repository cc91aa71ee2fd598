import { inflateRawSync } from 'node:zlib'

const END_SIGNATURE = 0x06054b50
const END_BYTES = 22
const ENTRY_BYTES = 46
const LOCAL_BYTES = 30
const DEFLATED = 8

/**
 * Reads one entry of a ZIP archive, found by how its name ends. Enough for a wheel: no ZIP64, no
 * encryption; the caller checks the content by its hash.
 */
export function readZipEntry(archive, nameEnd) {
  for (const entry of readDirectory(archive)) {
    if (entry.name.endsWith(nameEnd)) return readContent(archive, entry)
  }
  throw new Error(`The archive has no ${nameEnd}.`)
}

function* readDirectory(archive) {
  const end = findEnd(archive)
  let at = archive.readUInt32LE(end + 16)
  for (let left = archive.readUInt16LE(end + 10); left > 0; left -= 1) {
    const nameBytes = archive.readUInt16LE(at + 28)
    yield {
      method: archive.readUInt16LE(at + 10),
      packedBytes: archive.readUInt32LE(at + 20),
      offset: archive.readUInt32LE(at + 42),
      name: archive.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes),
    }
    const extraBytes = archive.readUInt16LE(at + 30)
    at += ENTRY_BYTES + nameBytes + extraBytes + archive.readUInt16LE(at + 32)
  }
}

/** The directory is found from the end, where only a comment may follow its closing record. */
function findEnd(archive) {
  for (let at = archive.length - END_BYTES; at >= 0; at -= 1) {
    if (archive.readUInt32LE(at) === END_SIGNATURE) return at
  }
  throw new Error('This is not a ZIP archive.')
}

function readContent(archive, { offset, packedBytes, method }) {
  const nameBytes = archive.readUInt16LE(offset + 26)
  const start = offset + LOCAL_BYTES + nameBytes + archive.readUInt16LE(offset + 28)
  const packed = archive.subarray(start, start + packedBytes)
  return method === DEFLATED ? inflateRawSync(packed) : packed
}
