import { Agent, request } from 'undici'

import type { ChaosWorld } from '../world.js'
import type { ChannelBook, ChannelNotification, ChannelOrder, ChannelRefund } from './books.js'

/** The sandbox's own book of some merchants: orders, refunds, and what it told of them. */
export async function loadChannel(
  { controlUrl, ca }: ChaosWorld['sandbox'],
  mchIds: readonly string[],
): Promise<ChannelBook> {
  const dispatcher = new Agent({ connect: { ca } })
  const get = async <Answer>(what: string, mchId: string): Promise<Answer> => {
    const reply = await request(`${controlUrl}/${what}?mchId=${mchId}`, { dispatcher })
    if (reply.statusCode !== 200) throw new Error(`The sandbox refused to show its ${what}.`)
    return (await reply.body.json()) as Answer
  }
  try {
    const books = await Promise.all(
      mchIds.map((mchId) =>
        get<{ orders: ChannelOrder[]; refunds: ChannelRefund[] }>('book', mchId),
      ),
    )
    const notifications = await Promise.all(
      mchIds.map((mchId) => get<ChannelNotification[]>('notifications', mchId)),
    )
    return {
      orders: books.flatMap(({ orders }) => orders),
      refunds: books.flatMap(({ refunds }) => refunds),
      notifications: notifications.flat(),
    }
  } finally {
    await dispatcher.close()
  }
}
