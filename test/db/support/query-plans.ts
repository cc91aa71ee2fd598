import { readdirSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { cloneRoot } from '../../../src/cli/local/clone.js'

/** Where named statements are written. */
const FOLDERS = ['src/db', 'src/ledger'] as const

/** Loads every module that has statements: a test that replaces `sql` hears of all of them. */
export async function loadStatements(): Promise<void> {
  for (const folder of FOLDERS) {
    const absolute = path.join(cloneRoot, folder)
    for (const name of readdirSync(absolute).filter((each) => each.endsWith('.ts'))) {
      await import(pathToFileURL(path.join(absolute, name)).href)
    }
  }
}

/** True for a statement whose work is done by a function of ours, out of sight of its plan. */
export const isCall = (text: string): boolean =>
  /^\s*select\s+(?:[^;]*\sfrom\s+)?[a-z_]+\((?:\$\d+(?:,\s*)?)+\)(?:\s+as\s+\w+)?\s*$/.test(text)

export interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly Plans?: readonly PlanNode[]
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)]

/** The tables that a plan reads from one end to the other. */
export const scannedWhole = (plan: PlanNode): string[] =>
  nodesOf(plan).flatMap((node) =>
    node['Node Type'] === 'Seq Scan' ? (node['Relation Name'] ?? []) : [],
  )

/** The indexes by which a plan finds its rows. */
export const indexesOf = (plan: PlanNode): string[] =>
  nodesOf(plan).flatMap((node) => node['Index Name'] ?? [])
