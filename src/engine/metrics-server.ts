import { createServer, type Server } from 'node:http'
import type { Registry } from 'prom-client'

export interface MetricsServer {
  readonly port: number
  stop(): Promise<void>
}

/** Serves a process's metrics and whether it lives, on loopback unless told otherwise. */
export async function startMetricsServer(options: {
  readonly registry: Registry
  readonly host: string
  readonly port: number
}): Promise<MetricsServer> {
  const { registry, host, port } = options
  const server = createServer((request, response) => {
    if (request.url === '/healthz') {
      response.end('ok')
    } else if (request.url === '/metrics') {
      registry.metrics().then(
        (text) => response.setHeader('content-type', registry.contentType).end(text),
        // A value that cannot be read must not end the process that it is a value of.
        () => response.writeHead(500).end(),
      )
    } else {
      response.writeHead(404).end()
    }
  })
  await listen(server, host, port)
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve)
  })
