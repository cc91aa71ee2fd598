import { createHash } from 'node:crypto'

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { merkleRoot, MerkleTree } from '../../src/ledger/merkle.js'

/** The tree that the reference implementation of RFC 6962 is tested with. */
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((digits) => Buffer.from(digits, 'hex'))

const hash = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('sha256').update(Buffer.concat(parts)).digest()

/** The root as the RFC defines it, without regard to memory. */
function rootByDefinition(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves
  if (only === undefined) return hash()
  if (leaves.length === 1) return hash(Buffer.of(0), only)
  const half = 2 ** Math.ceil(Math.log2(leaves.length) - 1)
  return hash(
    Buffer.of(1),
    rootByDefinition(leaves.slice(0, half)),
    rootByDefinition(leaves.slice(half)),
  )
}

const leafLists = fc
  .array(fc.uint8Array({ maxLength: 40 }), { maxLength: 70 })
  .map((leaves) => leaves.map((leaf) => Buffer.from(leaf)))

describe('the Merkle root', () => {
  test.each([
    [0, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
    [2, 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
    [3, 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'],
    [4, 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7'],
    [5, '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4'],
    [6, '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef'],
    [7, 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c'],
    [8, '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
  ])('%i leaves: is that of the reference implementation', (count, root) => {
    expect(merkleRoot(LEAVES.slice(0, count)).toString('hex')).toBe(root)
  })

  test('any leaves: is what the definition says', () => {
    fc.assert(
      fc.property(leafLists, (leaves) => {
        expect(merkleRoot(leaves)).toEqual(rootByDefinition(leaves))
      }),
    )
  })

  test('any leaves: is known after each of them', () => {
    fc.assert(
      fc.property(leafLists, (leaves) => {
        const tree = new MerkleTree()
        for (const [at, leaf] of leaves.entries()) {
          tree.add(leaf)
          expect(tree.root()).toEqual(rootByDefinition(leaves.slice(0, at + 1)))
        }
      }),
      { numRuns: 20 },
    )
  })

  test('leaves that change, leave or change places: give another root', () => {
    const unlike = fc
      .tuple(leafLists, leafLists)
      .filter(([one, two]) => JSON.stringify(one) !== JSON.stringify(two))
    fc.assert(
      fc.property(unlike, ([one, two]) => {
        expect(merkleRoot(one)).not.toEqual(merkleRoot(two))
      }),
    )
  })
})
