import { Envelope } from '../../db/envelope.js'
import type { DoctorConfig } from './config.js'
import { openDatabase, peerOf, thisMachine } from './examine.js'
import type { Finding } from './finding.js'
import { verifyMerchant } from './merchant-checks.js'

/**
 * Looks at one merchant with what the environment gives.
 * @throws Error when there is no such merchant, or what it takes to look is not set
 */
export async function examineMerchant(
  config: DoctorConfig,
  merchantId: string,
): Promise<Finding[]> {
  const { masterKey, publicBaseUrl, webhookAllowedHosts, sandbox, ...rest } = config
  const db = openDatabase(config)
  if (db === undefined || masterKey === undefined) {
    throw new Error('Set YUANLU_MASTER_KEY, and YUANLU_DATABASE_URL_OWNER or _WORKER.')
  }
  try {
    const findings = await verifyMerchant({
      db,
      envelope: new Envelope(masterKey.reveal()),
      merchantId,
      live: peerOf({ ...rest, webhookAllowedHosts }),
      webhookAllowedHosts,
      resolve: thisMachine.resolve,
      now: thisMachine.now,
      ...(sandbox && { sandbox: peerOf(config) }),
      ...(publicBaseUrl && { publicBaseUrl }),
    })
    if (findings.length === 0) throw new Error('There is no merchant of this id.')
    return findings
  } finally {
    await db.close()
  }
}
