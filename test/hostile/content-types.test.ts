import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { NOTIFICATION_SUCCESS } from '../../src/wechat/v2/notifications.js'
import { paidFields, signedXml } from '../api/paid-notification.js'
import {
  onceKey,
  ORDER,
  send,
  startServer,
  type ServerUnderTest,
} from '../api/server-under-test.js'
import { CONTENT_TYPES } from './support/inputs.js'

let server: ServerUnderTest

beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

describe('a genuine notification', () => {
  test.each(['text/xml', '', 'xml', '/', ';', 'text/xml; charset', ...CONTENT_TYPES])(
    'that calls itself "%s": is believed by its bytes',
    async (type) => {
      const sent = { idempotencyKey: onceKey(), body: ORDER }
      const created = await send(server, 'POST /v1/payments', sent)
      const { outTradeNo } = created.json<{ outTradeNo: string }>()
      const answer = await server.app.inject({
        method: 'POST',
        url: `/notify/${server.merchant.notifyToken}/payment`,
        headers: { 'content-type': type },
        payload: signedXml(paidFields(outTradeNo)),
      })
      expect([answer.statusCode, answer.body]).toEqual([200, NOTIFICATION_SUCCESS])
    },
  )
})
