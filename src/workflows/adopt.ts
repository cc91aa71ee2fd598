import { proxyActivities, workflowInfo } from '@temporalio/workflow'
import type { Activities } from '../activities/index.js'
import type { AdoptedOutcome, Adoption } from '../domain/adoption.js'
import { wechatTaskQueue } from '../domain/ids.js'
import { PROMPT } from './policies.js'
import { steps } from './steps.js'

const asPrompt = steps('adoptWorkflow.prompt', ['adoptPayment'])

/** Takes over a payment made before this engine: one question to the channel, and one booking. */
export async function adoptWorkflow(adoption: Adoption): Promise<AdoptedOutcome> {
  const taskQueue = wechatTaskQueue(workflowInfo().taskQueue)
  const { adoptPayment } = asPrompt(proxyActivities<Activities>({ ...PROMPT, taskQueue }))
  return adoptPayment(adoption).catch(() => ({ outcome: 'unknown' }) as const)
}
