import { sha256 } from './canonical.js'

// A leaf can never pass for a node, nor a node for a leaf.
const LEAF = Buffer.of(0)
const NODE = Buffer.of(1)

interface Subtree {
  readonly leaves: number
  readonly root: Buffer
}

/**
 * The Merkle tree of RFC 9162, section 2.1, over leaves that come one after another. It remembers
 * one hash per level, so that a tree of any size takes no more memory than its height.
 */
export class MerkleTree {
  /** Complete subtrees from left to right, each smaller than the one before. */
  readonly #subtrees: Subtree[] = []

  add(leaf: Buffer): void {
    let added: Subtree = { leaves: 1, root: sha256(Buffer.concat([LEAF, leaf])) }
    for (;;) {
      const left = this.#subtrees.at(-1)
      if (left === undefined || left.leaves !== added.leaves) break
      this.#subtrees.pop()
      added = { leaves: 2 * added.leaves, root: nodeOf(left.root, added.root) }
    }
    this.#subtrees.push(added)
  }

  /** The root over all leaves so far; that of no leaves is the hash of nothing. */
  root(): Buffer {
    const last = this.#subtrees.at(-1)
    if (last === undefined) return sha256('')
    return this.#subtrees
      .slice(0, -1)
      .reduceRight((right, left) => nodeOf(left.root, right), last.root)
  }
}

/** The root over leaves that are at hand together. */
export function merkleRoot(leaves: Iterable<Buffer>): Buffer {
  const tree = new MerkleTree()
  for (const leaf of leaves) tree.add(leaf)
  return tree.root()
}

const nodeOf = (left: Buffer, right: Buffer): Buffer => sha256(Buffer.concat([NODE, left, right]))
