import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'

export interface ConnectProxy {
  readonly host: string
  readonly url: string
  /** What it was asked to connect to, and how the client named itself. */
  readonly asked: { readonly target: string; readonly authorization: string | undefined }[]
  /** `tunnel` unless told otherwise; `silent` keeps the connection and never answers. */
  behaviour: 'tunnel' | 'refuse' | 'silent'
  close(): Promise<void>
}

/** A proxy that knows CONNECT and nothing else: it moves bytes and cannot read them. */
export async function startConnectProxy(): Promise<ConnectProxy> {
  const sockets = new Set<Duplex>()
  const server = createServer()
  server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    sockets.add(client.on('error', () => undefined))
    const target = request.url ?? ''
    proxy.asked.push({ target, authorization: request.headers['proxy-authorization'] })
    if (proxy.behaviour === 'refuse') client.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    if (proxy.behaviour !== 'tunnel') return
    const { hostname, port } = new URL(`https://${target}`)
    const upstream = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.write(head)
      upstream.pipe(client).pipe(upstream)
    })
    sockets.add(upstream.on('error', () => client.destroy()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const proxy: ConnectProxy = {
    host,
    url: `http://${host}`,
    asked: [],
    behaviour: 'tunnel',
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}
