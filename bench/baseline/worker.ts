import { fileURLToPath } from 'node:url'
import { NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { activities } from './activities.js'

/** The baseline's worker process: `worker.ts ADDRESS TASK_QUEUE`, until it is told to stop. */
const [address, taskQueue] = process.argv.slice(2)
if (address === undefined || taskQueue === undefined) throw new Error('ADDRESS TASK_QUEUE')

Runtime.install({ shutdownSignals: ['SIGTERM', 'SIGINT'] })
const connection = await NativeConnection.connect({ address })
const worker = await Worker.create({
  connection,
  taskQueue,
  workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
  activities,
  maxConcurrentWorkflowTaskExecutions: 300,
  maxCachedWorkflows: 2_000,
})
await worker.run()
await connection.close()
