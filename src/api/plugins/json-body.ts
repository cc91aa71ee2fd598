import { isUtf8 } from 'node:buffer'
import type { ApiServer } from '../server-type.js'
import { CodedError } from '../../domain/errors.js'
import { givenTwice, InvalidFields } from '../field-errors.js'
import { repeatedMember } from '../repeated-member.js'

/** JSON is UTF-8 (RFC 8259); a body that names another charset means another text. */
const OTHER_CHARSET = /;\s*charset\s*=\s*"?(?!utf-?8\b)/i

/**
 * Reads JSON, and refuses bytes that are not UTF-8: with replacement characters in their place
 * they would be stored, and told to a buyer. It refuses a member that is given twice, which two
 * readers need not read alike, and `__proto__`.
 */
export function installJsonBody(app: ApiServer): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser(['text/plain', 'application/json'])
  app.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    (request, body, done) => {
      if (OTHER_CHARSET.test(request.headers['content-type'] ?? '')) {
        done(new CodedError('unsupported_media_type'))
      } else if (!isUtf8(body)) {
        done(new CodedError('malformed_body'))
      } else {
        const text = body.toString('utf8')
        void parse(request, text, (error, value: unknown) => {
          const twice = error === null ? repeatedMember(text) : undefined
          if (twice === undefined) done(error, value)
          else done(new InvalidFields([givenTwice(twice)]))
        })
      }
    },
  )
}
