import type { Envelope } from '../../db/envelope.js'
import { migrationNames } from '../../db/migrate.js'
import { Database, only, type Queryable } from '../../db/pool.js'
import { certificateOf, type StoredCertificate } from './stored-certificates.js'
import { fine, wrong, type Finding } from './finding.js'

const DAY_MS = 86_400_000
const SOON_DAYS = 30

/** Compares the migrations of this program with those the database has run. */
export async function checkMigrations(db: Queryable): Promise<Finding> {
  const text = "select to_regclass('public.schema_migrations') is not null as found"
  const { found } = only(await db.rows<{ found: boolean }>({ text }, []))
  const rows = found
    ? await db.rows<{ name: string }>({ text: 'select name from schema_migrations' }, [])
    : []
  const ran = new Set(rows.map(({ name }) => name))
  const known = await migrationNames()
  const missing = known.filter((name) => !ran.has(name)).length
  if (missing > 0) {
    return wrong(
      'migrations',
      `${missing} of ${known.length} migrations have not run: run \`yuanlu migrate\`.`,
      `${known.length} 个迁移中有 ${missing} 个未执行:请运行 yuanlu migrate。`,
    )
  }
  if (ran.size > known.length) {
    return wrong(
      'migrations',
      'The database is newer than this program: install the version that migrated it.',
      '数据库比本程序新:请安装执行过迁移的版本。',
    )
  }
  return fine('migrations', `All ${known.length} migrations have run.`, '迁移均已执行。')
}

const PRIVILEGES = `select current_user as name, rolsuper or rolcreaterole as "isMighty",
  has_table_privilege(current_user, 'journal_transfers', 'update') as "rewritesBook"
  from pg_roles where rolname = current_user`

/** Whether API and worker connect as the two roles whose rights were made for them. */
export async function checkRoles(urls: {
  readonly api?: string
  readonly worker?: string
}): Promise<Finding> {
  for (const side of ['api', 'worker'] as const) {
    const url = urls[side]
    const problem = url === undefined ? undefined : await problemOfRole(url, side)
    if (problem !== undefined) return problem
  }
  return fine(
    'roles',
    'API and worker connect with the rights made for them.',
    'API 与 worker 的数据库权限正确。',
  )
}

async function problemOfRole(url: string, side: 'api' | 'worker'): Promise<Finding | undefined> {
  const variable = `YUANLU_DATABASE_URL_${side.toUpperCase()}`
  const db = new Database({ url, connectionsMax: 1, applicationName: 'yuanlu-doctor' })
  try {
    const role = only(
      await db.rows<{ name: string; isMighty: boolean; rewritesBook: boolean }>(
        { text: PRIVILEGES },
        [],
      ),
    )
    if (role.name === `yuanlu_${side}` && !role.isMighty && !role.rewritesBook) return undefined
    return wrong(
      'roles',
      `${variable} connects as ${role.name}: make it connect as yuanlu_${side}.`,
      `${variable} 以 ${role.name} 连接:应使用 yuanlu_${side}。`,
    )
  } catch {
    return wrong(
      'roles',
      `${variable} does not connect: run \`yuanlu migrate\` with it, which sets its password.`,
      `${variable} 无法连接:请带上它运行 yuanlu migrate 以设置密码。`,
    )
  } finally {
    await db.close()
  }
}

const SEALED = 'select distinct kek_id as "kekId" from credential_versions'

/** Whether this master key opens what is stored. */
export async function checkMasterKey(db: Queryable, envelope: Envelope): Promise<Finding> {
  const rows = await db.rows<{ kekId: string }>({ text: SEALED }, [])
  if (rows.every(({ kekId }) => kekId === envelope.kekId)) {
    return fine('master-key', 'The master key opens what is stored.', '主密钥可解开已存的凭证。')
  }
  return wrong(
    'master-key',
    'YUANLU_MASTER_KEY is not the key that secrets were stored with: take that from the backup.',
    'YUANLU_MASTER_KEY 不是存储凭证时所用的密钥:请从备份取回原密钥。',
  )
}

/** The worst thing about the merchants' certificates, or that there is none. */
export function checkCertificates(stored: readonly StoredCertificate[], now: Date): Finding {
  const problem = stored.map((each) => problemOfCertificate(each, now)).find((found) => found)
  if (problem !== undefined) return problem
  return fine(
    'certificates',
    `${stored.length} API certificates are good for more than ${SOON_DAYS} days.`,
    `${stored.length} 张 API 证书的有效期均超过 ${SOON_DAYS} 天。`,
  )
}

/** What is wrong with the certificate of one account, if anything is. */
export function problemOfCertificate(stored: StoredCertificate, now: Date): Finding | undefined {
  const { mchId } = stored
  const certificate = certificateOf(stored)
  const rotate = '`yuanlu merchant rotate`'
  if (certificate === undefined) {
    return wrong(
      'certificates',
      `Merchant ${mchId} has no API certificate, so nothing can be refunded: ${rotate} adds one.`,
      `商户 ${mchId} 没有 API 证书,无法退款:请用 yuanlu merchant rotate 添加。`,
    )
  }
  if (certificate.mchId !== mchId) {
    return wrong(
      'certificates',
      `The certificate of ${mchId} belongs to ${certificate.mchId}: ${rotate} with its own.`,
      `商户 ${mchId} 的证书属于 ${certificate.mchId}:请用 yuanlu merchant rotate 换成它自己的。`,
    )
  }
  const days = Math.floor((Date.parse(certificate.notAfter) - now.getTime()) / DAY_MS)
  const day = certificate.notAfter.slice(0, 10)
  if (days >= SOON_DAYS) return undefined
  const [en, zh] = days < 0 ? ['expired', '已过期'] : ['expires', '将过期']
  return wrong(
    'certificates',
    `The certificate of ${mchId} ${en} on ${day}: apply for a new one, then ${rotate}.`,
    `商户 ${mchId} 的证书${zh}(${day}):请申请新证书,再用 yuanlu merchant rotate 更换。`,
  )
}
