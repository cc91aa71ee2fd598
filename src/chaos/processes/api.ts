import { runApi } from '../../cli/api.js'
import { readArguments } from './arguments.js'

/** An API of a drill: `yuanlu api` itself, with the same two differences as the worker. */
const { json, clock, sabotage } = await readArguments()
await runApi({ json }, { clock, ...sabotage?.processes?.api })
