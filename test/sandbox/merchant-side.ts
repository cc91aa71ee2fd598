import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a merchant's notification endpoint received, and how it answers. */
export interface MerchantSide {
  readonly url: string
  readonly bodies: string[]
  /** Decides the answer of each next notification; null gives none at all. */
  answer: (body: string) => string | null
  stop(): Promise<void>
}

export const OK =
  '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>'
export const FAIL = '<xml><return_code>FAIL</return_code></xml>'

export async function startMerchantSide(): Promise<MerchantSide> {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      bodies.push(body)
      const answer = side.answer(body)
      if (answer !== null) response.end(answer)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const side: MerchantSide = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`,
    bodies,
    answer: () => OK,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return side
}
