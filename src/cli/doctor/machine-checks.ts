import { statfs } from 'node:fs/promises'

import { Connection } from '@temporalio/client'

import { SEARCH_ATTRIBUTES } from '../local/search-attributes.js'
import { fine, wrong, type Finding } from './finding.js'

const TEMPORAL_TIMEOUT_MS = 5_000
const FREE_BYTES_MIN = 1024 ** 3
const MIB = 1024 ** 2

/** Whether Temporal is reached, and knows the namespace and what workflows are searched by. */
export async function checkNamespace(temporal: {
  readonly address: string
  readonly namespace: string
}): Promise<Finding> {
  const { address, namespace } = temporal
  const connection = Connection.lazy({ address })
  try {
    return await connection.withDeadline(Date.now() + TEMPORAL_TIMEOUT_MS, () =>
      examine(connection, namespace),
    )
  } catch {
    return wrong(
      'namespace',
      `Temporal does not answer at ${address}: start it, or correct TEMPORAL_ADDRESS.`,
      `Temporal 在 ${address} 无应答:请启动它,或更正 TEMPORAL_ADDRESS。`,
    )
  } finally {
    await connection.close()
  }
}

async function examine(connection: Connection, namespace: string): Promise<Finding> {
  const isThere = await connection.workflowService.describeNamespace({ namespace }).then(
    () => true,
    (error: unknown) => {
      if (codeOf(error) === GRPC_NOT_FOUND) return false
      throw error
    },
  )
  if (!isThere) {
    return wrong(
      'namespace',
      `There is no namespace ${namespace}: run deploy/make-temporal-namespace.sh.`,
      `命名空间 ${namespace} 不存在:请运行 deploy/make-temporal-namespace.sh。`,
    )
  }
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
  const missing = Object.keys(SEARCH_ATTRIBUTES).filter((name) => !(name in customAttributes))
  if (missing.length > 0) {
    const names = missing.join(', ')
    return wrong(
      'namespace',
      `Search attributes are missing (${names}): run deploy/make-temporal-namespace.sh.`,
      `缺少搜索属性(${names}):请运行 deploy/make-temporal-namespace.sh。`,
    )
  }
  return fine(
    'namespace',
    `The namespace ${namespace} and its search attributes are there.`,
    `命名空间 ${namespace} 及其搜索属性齐备。`,
  )
}

const GRPC_NOT_FOUND = 5

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined

/** How many bytes are free where a path lies. */
export type FreeBytes = (path: string) => Promise<number>

export const freeBytes: FreeBytes = async (path) => {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize
}

/** Whether there is room for logs and, on one machine, for the data. */
export async function checkDisk(path: string, free: FreeBytes = freeBytes): Promise<Finding> {
  const bytes = await free(path)
  const mib = Math.floor(bytes / MIB)
  return bytes >= FREE_BYTES_MIN
    ? fine('disk', `${mib} MiB are free.`, `剩余 ${mib} MiB。`)
    : wrong(
        'disk',
        `Only ${mib} MiB are free: make room, since a full disk stops the database.`,
        `仅剩 ${mib} MiB:请清理磁盘,磁盘写满后数据库会停止。`,
      )
}
