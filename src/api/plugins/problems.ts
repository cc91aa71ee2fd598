import type { FastifyReply, FastifyRequest } from 'fastify'
import { ERRORS } from '../../domain/errors.js'
import { languageOf } from '../language.js'
import { failureOf, PROBLEM_TYPE, problemOf, type Failure } from '../problem.js'
import type { ApiServer } from '../server-type.js'
import { RETRY_AFTER_S } from '../views.js'

/** Answers every error, and every address nobody serves, with a problem document. */
export function installProblems(app: ApiServer): void {
  app.setErrorHandler(answerError)
  app.setNotFoundHandler((request, reply) =>
    sendProblem(request, reply, { code: 'not_found', details: {}, fields: [] }),
  )
}

/** Tells the caller what the catalogue says, and the log everything else. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const failure = failureOf(error)
  if (ERRORS[failure.code].status >= 500) request.log.error({ err: error }, 'request failed')
  sendProblem(request, reply, failure)
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, failure: Failure): void {
  const { status } = ERRORS[failure.code]
  const problem = problemOf(failure, languageOf(request.headers['accept-language']), request.id)
  if (status === 503) void reply.header('retry-after', RETRY_AFTER_S)
  if (status === 401) void reply.header('www-authenticate', 'Bearer')
  // A string is sent as it is: problems are not shaped by the schema of the route's answer.
  void reply
    .code(status)
    .header('vary', 'Accept-Language')
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problem))
}
