import { describe, expect, test } from 'vitest'

import { orderRequest } from '../../src/api/operations/order-request.js'

const ORDER = {
  appId: 'wx1',
  outTradeNo: 'P123456',
  amountFen: 1,
  description: '青团',
  openid: 'o1',
  payerIp: '::1',
  startsAt: new Date('2026-11-23T04:00:00Z'),
  expiresAt: new Date('2026-11-23T04:30:00Z'),
}
const ACCOUNT = { shortName: '茶馆', notifyToken: 'token', timeScale: 1 }

describe('the request of an order', () => {
  test('by a clock of our own: names start and expiry', () => {
    expect(orderRequest(ORDER, ACCOUNT, 'https://a.example')).toEqual({
      appId: 'wx1',
      outTradeNo: 'P123456',
      body: '茶馆-青团',
      totalFen: 1,
      payerIp: '::1',
      openid: 'o1',
      notifyUrl: 'https://a.example/notify/token/payment',
      startsAt: '2026-11-23T04:00:00.000Z',
      expiresAt: '2026-11-23T04:30:00.000Z',
    })
  })

  test('by a clock that is faster: names neither', () => {
    const request = orderRequest(ORDER, { ...ACCOUNT, timeScale: 1 / 60 }, 'https://a.example')
    expect(request).not.toHaveProperty('startsAt')
    expect(request).not.toHaveProperty('expiresAt')
  })
})
