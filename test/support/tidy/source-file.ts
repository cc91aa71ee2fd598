import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

import ts from 'typescript'

/** One file of the tree, as the checks see it: they never read the disk themselves. */
export interface SourceFile {
  /** Relative to the clone, with forward slashes. */
  readonly path: string
  readonly text: string
}

/** One thing that is not as the house wants it. */
export interface Problem {
  readonly path: string
  readonly line: number
  /** Says what is wrong, why that matters, and what to do instead. */
  readonly message: string
}

const FOLDERS = ['src', 'test', 'bench', 'scripts', 'bin']
const EXTENSIONS = ['.ts', '.mjs']
const SKIPPED = new Set(['node_modules', 'dist', 'replay', 'fixtures'])

/** Reads every program file of the clone that people write by hand. */
export function readSourceFiles(root: string): SourceFile[] {
  return FOLDERS.flatMap((folder) => listFiles(path.join(root, folder)))
    .filter((file) => EXTENSIONS.includes(path.extname(file)))
    .map((file) => ({
      path: path.relative(root, file).split(path.sep).join('/'),
      text: readFileSync(file, 'utf8'),
    }))
}

const parsed = new WeakMap<SourceFile, ts.SourceFile>()

/** Parses a file once, however many checks look at it. */
export function parse(file: SourceFile): ts.SourceFile {
  const known = parsed.get(file)
  if (known !== undefined) return known
  const tree = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ES2023, true)
  parsed.set(file, tree)
  return tree
}

/** The line, counted from one, on which a node begins. */
export function lineOf(tree: ts.SourceFile, node: ts.Node): number {
  return tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1
}

function listFiles(folder: string): string[] {
  if (!existsSync(folder)) return []
  const entries = readdirSync(folder, { withFileTypes: true })
  return entries.flatMap((entry) => {
    const full = path.join(folder, entry.name)
    if (entry.isFile()) return [full]
    return SKIPPED.has(entry.name) ? [] : listFiles(full)
  })
}
