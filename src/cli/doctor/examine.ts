import { readFileSync } from 'node:fs'

import { Envelope } from '../../db/envelope.js'
import { Database } from '../../db/pool.js'
import {
  checkCertificates,
  checkMasterKey,
  checkMigrations,
  checkRoles,
} from './database-checks.js'
import type { DoctorConfig } from './config.js'
import { leftOut, wrong, type CheckName, type Finding } from './finding.js'
import { checkDisk, checkNamespace, freeBytes, type FreeBytes } from './machine-checks.js'
import {
  checkBackupHost,
  checkClock,
  checkNotifyUrl,
  checkProxy,
  type ChannelPeer,
} from './network-checks.js'
import { storedCertificates } from './stored-certificates.js'
import { checkWebhooks, resolveName, type Resolve } from './webhook-checks.js'

/** What the machine says of itself, so that a test can have it say otherwise. */
export interface Machine {
  readonly now: () => Date
  readonly freeBytes: FreeBytes
  readonly resolve: Resolve
  /** The folder whose disk is looked at. */
  readonly folder: string
}

export const thisMachine: Machine = {
  now: () => new Date(),
  freeBytes,
  resolve: resolveName,
  folder: process.cwd(),
}

/** Looks at everything that was given, in the order in which it is best repaired. */
export async function examine(config: DoctorConfig, machine: Machine): Promise<Finding[]> {
  const { publicBaseUrl, temporal, proxyUrl } = config
  const findings = await Promise.all([
    checkClock(peerOf(config), machine.now),
    checkBackupHost(backupOf(config)),
    publicBaseUrl === undefined
      ? leftOut('notify-url', 'YUANLU_PUBLIC_BASE_URL')
      : checkNotifyUrl(publicBaseUrl),
    checkProxy(proxyUrl?.reveal()),
    checkDatabase(config, machine),
    checkNamespace(temporal),
    checkDisk(machine.folder, machine.freeBytes),
  ])
  return findings.flat()
}

/** The sandbox where one is set, since then it is what accounts are tried with. */
export function peerOf({ sandbox, wechatBaseUrl, proxyUrl }: DoctorConfig): ChannelPeer {
  if (sandbox !== undefined) {
    const { baseUrl, caPath } = sandbox
    return caPath === undefined ? { baseUrl } : { baseUrl, caPem: readFileSync(caPath, 'utf8') }
  }
  return { baseUrl: wechatBaseUrl, ...(proxyUrl && { proxyUrl: proxyUrl.reveal() }) }
}

/** A sandbox has one site. */
function backupOf({ sandbox, backupUrl, proxyUrl }: DoctorConfig): ChannelPeer | undefined {
  if (sandbox !== undefined || backupUrl === undefined) return undefined
  return { baseUrl: backupUrl, ...(proxyUrl && { proxyUrl: proxyUrl.reveal() }) }
}

/** The database as the role that may read most of it; undefined where none is given. */
export function openDatabase({ ownerUrl, workerUrl }: DoctorConfig): Database | undefined {
  const url = ownerUrl ?? workerUrl
  if (url === undefined) return undefined
  return new Database({
    url: url.reveal(),
    connectionsMax: 2,
    applicationName: 'yuanlu-doctor',
  })
}

const OF_DATABASE = [
  'migrations',
  'master-key',
  'certificates',
  'webhooks',
] as const satisfies CheckName[]

async function checkDatabase(config: DoctorConfig, machine: Machine): Promise<Finding[]> {
  const { apiUrl, workerUrl } = config
  const roles = await checkRoles({
    ...(apiUrl && { api: apiUrl.reveal() }),
    ...(workerUrl && { worker: workerUrl.reveal() }),
  })
  const db = openDatabase(config)
  if (db === undefined) {
    return [roles, ...OF_DATABASE.map((check) => leftOut(check, 'YUANLU_DATABASE_URL_OWNER'))]
  }
  try {
    const migrations = await checkMigrations(db)
    if (!migrations.isFine) return [migrations]
    const webhooks = await checkWebhooks(db, null, {
      allowedHosts: config.webhookAllowedHosts,
      resolve: machine.resolve,
    })
    return [migrations, roles, ...(await checkSecrets(db, config, machine)), webhooks]
  } catch {
    return [
      wrong(
        'migrations',
        'The database does not answer: start it, or correct YUANLU_DATABASE_URL_OWNER.',
        '数据库无应答:请启动它,或更正 YUANLU_DATABASE_URL_OWNER。',
      ),
    ]
  } finally {
    await db.close()
  }
}

/** What a wrong master key would hide is not looked at. */
async function checkSecrets(
  db: Database,
  { masterKey }: DoctorConfig,
  { now }: Machine,
): Promise<Finding[]> {
  if (masterKey === undefined) return [leftOut('master-key', 'YUANLU_MASTER_KEY')]
  const envelope = new Envelope(masterKey.reveal())
  const key = await checkMasterKey(db, envelope)
  if (!key.isFine) return [key]
  return [key, checkCertificates(await storedCertificates(db, envelope, null), now())]
}
