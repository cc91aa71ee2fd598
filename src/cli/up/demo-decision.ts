import path from 'node:path'

import { approveSignal } from '../../workflows/messages.js'
import { upConfig } from '../../config.js'
import { findTool } from '../local/tools.js'
import type { PlayedRefund } from './demo-refund.js'
import type { Stage } from './stage.js'
import { until } from './until.js'

/** Longer than a refund may be pending, so it is never this wait that ends. */
const PATIENCE_MS = 48 * 60 * 60_000

/** Has the refund decided: by the reader where there is one, or else by the operator's signal. */
export async function decide(stage: Stage, refund: PlayedRefund): Promise<void> {
  if (stage.keyboard === undefined) return signalApproval(stage, refund)
  const { screen, texts } = stage
  const { temporalUi, temporal } = stage.system.ports
  const page = encodeURIComponent(refund.workflowId)
  screen.print(
    '',
    ...texts.demo.waiting.map((line) => `  ${line}`),
    ...signalCommand(refund.workflowId, temporal, texts.demo.typedReason),
    `  ${texts.demo.seeIt}`,
    `    http://127.0.0.1:${temporalUi}/namespaces/default/workflows/${page}`,
    '',
  )
  screen.setFooter(texts.keys.decide)
  try {
    await waitForDecision(stage, refund)
  } finally {
    screen.setFooter('')
  }
}

async function signalApproval({ system, texts }: Stage, refund: PlayedRefund): Promise<void> {
  const workflow = system.temporal.workflow.getHandle(refund.workflowId)
  await workflow.signal(approveSignal, { reason: texts.demo.operatorReason })
}

/** A key of the reader decides, or whoever else is quicker: by the API or by a signal. */
async function waitForDecision(stage: Stage, refund: PlayedRefund): Promise<void> {
  const { system, texts, keyboard, signal } = stage
  const { id } = refund.row
  const said = { actingUser: texts.demo.approver, reason: texts.demo.decisionReason }
  const pressed: ('approve' | 'reject')[] = []
  keyboard?.listen((key) => {
    if (key === 'enter') pressed.push('approve')
    if (key === 'r') pressed.push('reject')
  })
  const isDecided = async (): Promise<true | undefined> =>
    (await system.api.refund(id)).state !== 'pending' || undefined
  const ask = async (): Promise<true | undefined> => {
    const verb = pressed.shift()
    if (verb === undefined) return isDecided()
    // Somebody else may have been quicker, which is as good.
    await system.api.decide(id, verb, said).catch(async (error: unknown) => {
      if (!(await isDecided())) throw error
    })
    return true
  }
  const what = texts.steps['approved by signal']
  await until(ask, { what, timeoutMs: PATIENCE_MS, signal })
}

/** The line for another terminal, short enough to be copied from a narrow one. */
function signalCommand(workflowId: string, port: number, reason: string): string[] {
  const input = JSON.stringify({ reason })
  return [
    `    ${temporalCommand()} workflow signal \\`,
    `      --workflow-id ${workflowId} --name approve \\`,
    `      --input '${input}' --address 127.0.0.1:${port}`,
  ]
}

/** The bare name where the shell finds it, or else where the bootstrap has put it. */
function temporalCommand(): string {
  const cli = findTool('temporalCli')
  return upConfig().searchPath.includes(path.dirname(cli)) ? path.basename(cli) : cli
}
