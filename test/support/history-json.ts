import { createRequire } from 'node:module'

import type { History } from './history.js'

/**
 * Histories as the JSON that Temporal's own tools write and read. The SDK has functions for it, but
 * npm installs a copy of protobufjs for each of its packages, and those functions only know types
 * of the copy they were not given; so the copy that belongs to the types is used here.
 */

interface ProtoJson {
  readonly toJson: (type: unknown, message: unknown) => unknown
  readonly fromJson: (
    type: unknown,
    json: unknown,
    options: { readonly ignoreUnknownFields: true },
  ) => History
}

interface ProtoRoot {
  lookupType(name: string): unknown
}

const requireHere = createRequire(import.meta.url)
const requireBesideTypes = createRequire(requireHere.resolve('@temporalio/proto'))
const { toJson, fromJson } = requireBesideTypes('protobufjs/ext/protojson') as ProtoJson
const { patchProtobufRoot } = requireBesideTypes('@temporalio/proto/lib/patch-protobuf-root') as {
  readonly patchProtobufRoot: (root: unknown) => ProtoRoot
}
const historyType = patchProtobufRoot(requireBesideTypes('@temporalio/proto')).lookupType(
  'temporal.api.history.v1.History',
)

export const historyToJson = (history: History): unknown => toJson(historyType, history)

/** @throws TypeError when the value is not a history. */
export const historyFromJson = (json: unknown): History =>
  fromJson(historyType, json, { ignoreUnknownFields: true })
