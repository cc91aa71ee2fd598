import { addKey } from '../../../src/cli/merchants.js'
import { ApiClient } from '../../support/api-client.js'
import { MERCHANT_ID, type Stack } from '../../support/stack.js'
import { startReceiver, status } from '../../webhooks/support/receiver.js'
import { look, newNumber, paid, until, type Way } from '../support/ways.js'

interface Endpoint {
  readonly id: string
}

/** Has the shop's server answer so for as long as `walk` goes on; nobody is told afterwards. */
async function told(
  stack: Stack,
  answer: number,
  walk: (endpoint: Endpoint) => Promise<string>,
): Promise<string> {
  const receiver = await startReceiver()
  receiver.answer = status(answer)
  const { key } = await addKey(stack.owner, {
    merchantId: MERCHANT_ID,
    name: newNumber(),
    scopes: ['webhooks:read', 'webhooks:write'],
  })
  const hooks = new ApiClient(stack.apiUrl, key)
  const url = `http://127.0.0.1:${receiver.port}/hook`
  const body = { url, livemode: false, eventTypes: ['payment.paid'] }
  const { body: endpoint } = await hooks.send<Endpoint>('POST', '/v1/webhook-endpoints', { body })
  try {
    return await walk(endpoint)
  } finally {
    await hooks.send('DELETE', `/v1/webhook-endpoints/${endpoint.id}`)
    await receiver.close()
  }
}

const deliveryIsOver = (stack: Stack, paymentId: string) =>
  until(async () => {
    const text = 'select state from webhook_deliveries where payment_id = $1'
    const [delivery] = await look<{ state: string }>(stack, text, paymentId)
    return delivery !== undefined && delivery.state !== 'pending'
  })

const isOff = async (stack: Stack, { id }: Endpoint): Promise<boolean> => {
  const text = 'select enabled from webhook_endpoints where id = $1'
  const [row] = await look<{ enabled: boolean }>(stack, text, id)
  return row?.enabled === false
}

export const WEBHOOK_WAYS: readonly Way[] = [
  {
    name: 'a payment of which the shop is told',
    through: ['webhookFanOut.', 'webhookDelivery.send', 'webhookDelivery.finish'],
    walk: (stack) =>
      told(stack, 204, async () => {
        const { id } = await paid(stack)
        await deliveryIsOver(stack, id)
        return id
      }),
  },
  {
    name: 'a payment of which a server wants to hear nothing',
    through: ['webhookDelivery.disable'],
    walk: (stack) =>
      told(stack, 410, async (endpoint) => {
        const { id } = await paid(stack)
        await deliveryIsOver(stack, id)
        // Whoever died with its last word unheard hears it again with the next event.
        while (!(await isOff(stack, endpoint))) {
          const next = await paid(stack)
          await deliveryIsOver(stack, next.id)
        }
        return id
      }),
  },
]
