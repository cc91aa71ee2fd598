import { accessSync, constants, statSync } from 'node:fs'
import path from 'node:path'

/** Answers the first executable file of this name on the PATH; undefined when there is none. */
export function findOnPath(program) {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean)
  return folders.map((folder) => path.join(folder, program)).find(isExecutableFile)
}

function isExecutableFile(file) {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
