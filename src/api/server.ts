import { fastify, LogController, type FastifyBaseLogger } from 'fastify'
import { randomUUID } from 'node:crypto'
import { appliedDecisions } from '../db/decisions.js'
import { appliedFacts, markFactsSignalled } from '../db/inbox.js'
import { standingsOf } from '../db/standings.js'
import { appliedResolutions } from '../db/resolutions.js'
import { AccountBook } from './account-book.js'
import { AppliedWaiter } from './applied-waiter.js'
import { ChangeWaiter } from './change-waiter.js'
import type { ApiContext, ApiDeps } from './context.js'
import { EngineGate } from './engine-gate.js'
import { createApiMetrics } from './metrics.js'
import { installAuthentication } from './plugins/auth.js'
import { installClosing } from './plugins/closing.js'
import { installDocumentation } from './plugins/documentation.js'
import { installJsonBody } from './plugins/json-body.js'
import { installObservation } from './plugins/observation.js'
import { answerError, installProblems } from './plugins/problems.js'
import { createValidatorCompiler } from './plugins/validation.js'
import { approveRefundRoute } from './routes/approve-refund.js'
import { cancelRefundRoute } from './routes/cancel-refund.js'
import { adoptPaymentRoute } from './routes/adopt-payment.js'
import { closePaymentRoute } from './routes/close-payment.js'
import { createPaymentRoute } from './routes/create-payment.js'
import { eventRoutes } from './routes/events.js'
import { getCaseRoute } from './routes/get-case.js'
import { getLedgerHeadRoute } from './routes/get-ledger-head.js'
import { getPaymentRoute } from './routes/get-payment.js'
import { getRefundRoute } from './routes/get-refund.js'
import { healthRoutes } from './routes/health.js'
import { listAuditRoute } from './routes/list-audit.js'
import { listCasesRoute } from './routes/list-cases.js'
import { listPaymentsRoute } from './routes/list-payments.js'
import { listRefundsRoute } from './routes/list-refunds.js'
import { merchantRoutes } from './routes/merchants.js'
import { metricsRoute } from './routes/metrics.js'
import { notifyRoutes } from './routes/notify.js'
import { prepayPaymentRoute } from './routes/prepay-payment.js'
import { queryPaymentRoute } from './routes/query-payment.js'
import { rejectRefundRoute } from './routes/reject-refund.js'
import { listRefundResolutionsRoute } from './routes/list-refund-resolutions.js'
import { requestRefundRoute } from './routes/request-refund.js'
import { resolveCaseRoute } from './routes/resolve-case.js'
import { resolvePaymentRoute } from './routes/resolve-payment.js'
import { resolveRefundRoute } from './routes/resolve-refund.js'
import { retryRefundRoute } from './routes/retry-refund.js'
import { webhookDeliveryRoutes } from './routes/webhook-deliveries.js'
import { webhookEndpointRoutes } from './routes/webhook-endpoints.js'
import { AuditLine, AuditPage } from './schemas/audit.js'
import { Event, EventPage } from './schemas/event.js'
import { Case, CasePage, CaseWithEvents } from './schemas/case.js'
import { LedgerHead } from './schemas/ledger.js'
import { AskedPayment } from './schemas/payment-actions.js'
import { Credential, Credentials, Merchant, Policy } from './schemas/merchant.js'
import { FrontEnd, PayablePayment, Payment, PaymentPage } from './schemas/payment.js'
import { Problem } from './schemas/problem.js'
import {
  Decision,
  RecordedDecision,
  Refund,
  RefundPage,
  RefundWithDecisions,
} from './schemas/refund.js'
import {
  WebhookDelivery,
  WebhookDeliveryPage,
  WebhookDeliveryWithAttempts,
  WebhookEndpoint,
  WebhookEndpointPage,
  WebhookEndpointWithSecret,
} from './schemas/webhook.js'
import { RecordedResolution, Resolution, Resolutions } from './schemas/resolution.js'
import type { ApiServer } from './server-type.js'
import { SignalledFacts } from './signalled-facts.js'

const BODY_BYTES_MAX = 64 * 1024
const REQUEST_TIMEOUT_MS = 30_000

const SHARED_SCHEMAS = [
  Problem,
  FrontEnd,
  Payment,
  PayablePayment,
  PaymentPage,
  AskedPayment,
  Decision,
  Refund,
  RefundWithDecisions,
  RecordedDecision,
  RefundPage,
  RecordedResolution,
  Resolution,
  Resolutions,
  Case,
  CaseWithEvents,
  CasePage,
  LedgerHead,
  WebhookEndpoint,
  WebhookEndpointWithSecret,
  WebhookEndpointPage,
  WebhookDelivery,
  WebhookDeliveryWithAttempts,
  WebhookDeliveryPage,
  Policy,
  Merchant,
  Credential,
  Credentials,
  AuditLine,
  AuditPage,
  Event,
  EventPage,
]

const V1_ROUTES = [
  createPaymentRoute,
  listPaymentsRoute,
  getPaymentRoute,
  prepayPaymentRoute,
  adoptPaymentRoute,
  queryPaymentRoute,
  closePaymentRoute,
  resolvePaymentRoute,
  requestRefundRoute,
  listRefundsRoute,
  getRefundRoute,
  approveRefundRoute,
  rejectRefundRoute,
  cancelRefundRoute,
  retryRefundRoute,
  resolveRefundRoute,
  listRefundResolutionsRoute,
  listCasesRoute,
  getCaseRoute,
  resolveCaseRoute,
  getLedgerHeadRoute,
  webhookEndpointRoutes,
  webhookDeliveryRoutes,
  merchantRoutes,
  listAuditRoute,
  eventRoutes,
]

/** Builds the HTTP server from its dependencies; whoever builds it listens and closes. */
export async function buildApi(deps: ApiDeps): Promise<ApiServer> {
  const context = contextOf(deps)
  const app = createServer(deps)
  app.setValidatorCompiler(createValidatorCompiler())
  for (const schema of SHARED_SCHEMAS) app.addSchema(schema)
  app.decorateRequest('client', null)
  app.decorateRequest('afterAnswer', null)
  installClosing(app)
  installProblems(app)
  installObservation(app, context.metrics)
  await installDocumentation(app)
  await app.register(
    (v1: ApiServer, _options, done) => {
      installAuthentication(v1, context.db)
      for (const addRoute of V1_ROUTES) addRoute(v1, context)
      done()
    },
    { prefix: '/v1' },
  )
  await app.register(
    (notify: ApiServer, _options, done) => {
      notifyRoutes(notify, context)
      done()
    },
    { prefix: '/notify' },
  )
  // Whoever waits for a change is let go, or closing would wait for them.
  app.addHook('preClose', (done) => {
    context.changes.stop()
    done()
  })
  healthRoutes(app, context)
  metricsRoute(app, context)
  return app
}

function contextOf(deps: ApiDeps): ApiContext {
  const { db, clock, envelope, logger, registry, isEngineReachable } = deps
  return {
    ...deps,
    metrics: createApiMetrics(registry),
    accounts: new AccountBook(db, envelope),
    waiter: new AppliedWaiter((ids) => appliedDecisions(db, ids)),
    resolutions: new AppliedWaiter((ids) => appliedResolutions(db, ids)),
    facts: new AppliedWaiter((ids) => appliedFacts(db, ids)),
    changes: new ChangeWaiter((ids) => standingsOf(db, ids)),
    signalled: new SignalledFacts((ids) => markFactsSignalled(db, ids, clock.now())),
    gate: new EngineGate(isEngineReachable, (err) => {
      logger.warn({ err }, 'the engine did not take a call')
    }),
  }
}

function createServer({ logger, trustedProxies = [] }: ApiDeps): ApiServer {
  const loggerInstance: FastifyBaseLogger = logger
  const app: ApiServer = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit: BODY_BYTES_MAX,
    trustProxy: [...trustedProxies],
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { ignoreTrailingSlash: true },
    frameworkErrors: answerError,
  })
  // Only JSON is taken, and what names no type is not taken for text.
  installJsonBody(app)
  return app
}
