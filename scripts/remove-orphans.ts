import { removeOrphanedRuns } from '../test/support/run-folder.js'

// Ends the servers of test runs whose own process is gone; those of living runs stay.
await removeOrphanedRuns()
