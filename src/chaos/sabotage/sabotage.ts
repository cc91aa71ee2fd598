import type { ApiMakers } from '../../api/main.js'
import type { WorkerMakers } from '../../worker.js'
import type { Offence } from '../books/offences.js'
import type { ChaosWorld } from '../world.js'
import type { Scene } from './scene.js'

/**
 * A known bug that a drill plants, to show that its comparison finds it. The product has no switch
 * for it: it is a change of the drill's own database, or a part that its processes are made of.
 */
export interface Sabotage {
  /** What is wrong, for the person who plants it. */
  readonly sentence: string
  /** Under which name it has to be found; under another one it was not found. */
  readonly offence: Offence
  /** Changes the database, as its owner and before any process of ours runs. */
  readonly plant?: (world: ChaosWorld) => Promise<void>
  /** What the processes make otherwise. */
  readonly processes?: {
    readonly worker?: Partial<WorkerMakers>
    readonly api?: Partial<ApiMakers>
  }
  /**
   * Does what the bug is about, with the faults that make it bite. On a sound system the same ends
   * well, so it waits for nothing that only the bug brings about.
   * @returns whom the comparison has to name
   */
  readonly provoke: (scene: Scene) => Promise<string>
}
