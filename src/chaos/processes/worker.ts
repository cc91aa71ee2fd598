import { runWorker } from '../../cli/worker.js'
import { readArguments } from './arguments.js'

/**
 * A worker of a drill: `yuanlu worker` itself, with a clock that can be set wrong and, where that
 * is asked for, with a known bug in place of one of its parts.
 */
const { json, workflowBundle, clock, sabotage } = await readArguments()
const options = workflowBundle === undefined ? { json } : { json, workflowBundle }
await runWorker(options, { clock, ...sabotage?.processes?.worker })
