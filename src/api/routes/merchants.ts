import { listCredentials } from '../../db/merchant-settings.js'
import { findPolicy } from '../../db/policies.js'
import { CodedError } from '../../domain/errors.js'
import type { ApiContext } from '../context.js'
import { credentialView, policyView } from '../merchant-views.js'
import { addOwnCredential } from '../operations/add-credential.js'
import {
  changeOwnMerchant,
  createPolicy,
  merchantOf,
  ownClientOf,
} from '../operations/merchants.js'
import { named } from '../schemas/fields.js'
import {
  AddCredential,
  ChangeMerchant,
  CreatePolicy,
  Credentials,
  Merchant,
  MerchantParams,
  Policy,
  PolicyParams,
} from '../schemas/merchant.js'
import { problems } from '../schemas/problem.js'
import type { ApiServer } from '../server-type.js'

const tags = ['merchants']
const READS = { scopes: ['merchants:read'] } as const
const WRITES = { scopes: ['merchants:write'] } as const
const WRITE_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422, 503)

/** /v1/merchants/{id}: what a merchant's people see and change of their own. */
export function merchantRoutes(app: ApiServer, context: ApiContext): void {
  addSettings(app, context)
  addPolicies(app, context)
  addCredentials(app, context)
}

function addSettings(app: ApiServer, context: ApiContext): void {
  app.get(
    '/merchants/:id',
    {
      config: READS,
      schema: {
        operationId: 'getMerchant',
        summary: 'Get your settings, your policy and your channel accounts',
        tags,
        params: MerchantParams,
        response: { 200: named(Merchant), ...problems(401, 403, 404, 503) },
      },
    },
    async (request) => {
      const client = ownClientOf(request, request.params.id)
      return merchantOf(context, client)
    },
  )
  app.put(
    '/merchants/:id',
    {
      config: WRITES,
      schema: {
        operationId: 'changeMerchant',
        summary: 'Change your settings, the stop switch among them',
        tags,
        params: MerchantParams,
        body: ChangeMerchant,
        response: { 200: named(Merchant), ...WRITE_PROBLEMS },
      },
    },
    async (request) => {
      const client = ownClientOf(request, request.params.id)
      return changeOwnMerchant(context, client, request.body)
    },
  )
}

function addPolicies(app: ApiServer, context: ApiContext): void {
  app.post(
    '/merchants/:id/policies',
    {
      config: WRITES,
      schema: {
        operationId: 'createPolicy',
        summary: 'Add a version of your rules of approval',
        description:
          'Requests are held to it from now on; what was asked for before keeps its own.',
        tags,
        params: MerchantParams,
        body: CreatePolicy,
        response: { 201: named(Policy), ...WRITE_PROBLEMS },
      },
    },
    async (request, reply) => {
      const client = ownClientOf(request, request.params.id)
      const policy = await createPolicy(context, client, request.body)
      return reply.code(201).send(policyView(policy))
    },
  )
  app.get(
    '/merchants/:id/policies/:version',
    {
      config: READS,
      schema: {
        operationId: 'getPolicy',
        summary: 'Get a version of your rules of approval',
        tags,
        params: PolicyParams,
        response: { 200: named(Policy), ...problems(401, 403, 404, 503) },
      },
    },
    async (request) => {
      const { id, version } = request.params
      const { merchantId } = ownClientOf(request, id)
      const policy = await findPolicy(context.db, merchantId, version)
      if (policy === undefined) throw new CodedError('not_found')
      return policyView(policy)
    },
  )
}

function addCredentials(app: ApiServer, context: ApiContext): void {
  app.get(
    '/merchants/:id/credentials',
    {
      config: READS,
      schema: {
        operationId: 'listCredentials',
        summary: 'List the versions of your keys and certificates, without the secrets',
        tags,
        params: MerchantParams,
        response: { 200: named(Credentials), ...problems(401, 403, 404, 503) },
      },
    },
    async (request) => {
      const { merchantId } = ownClientOf(request, request.params.id)
      const listed = await listCredentials(context.db, merchantId)
      return { items: listed.map(credentialView) }
    },
  )
  app.post(
    '/merchants/:id/credentials',
    {
      config: WRITES,
      schema: {
        operationId: 'addCredential',
        summary: 'Add the next version of a key or certificate',
        description:
          'The version before it stays active, and older ones retire. It is used within a minute.',
        tags,
        params: MerchantParams,
        body: AddCredential,
        response: { 201: named(Credentials), ...WRITE_PROBLEMS },
      },
    },
    async (request, reply) => {
      const client = ownClientOf(request, request.params.id)
      const listed = await addOwnCredential(context, client, request.body)
      return reply.code(201).send({ items: listed.map(credentialView) })
    },
  )
}
