import { findFreePort } from '../../../src/cli/local/free-port.js'

/** The ports that services of docker-compose.yml listen on, each in a network of its own. */
const OWN_PORTS = ['8080', '9443', '9464'] as const

/**
 * What stands for the containers' names, ports and folders when services run as plain processes of
 * one machine: every host is the loopback address, every port a free one.
 */
export class ReplacedNames {
  readonly #hosts: ReadonlyMap<string, string>
  readonly #ports: ReadonlyMap<string, string>
  readonly #folders: ReadonlyMap<string, string>

  private constructor(
    hosts: ReadonlyMap<string, string>,
    ports: ReadonlyMap<string, string>,
    folders: ReadonlyMap<string, string>,
  ) {
    this.#hosts = hosts
    this.#ports = ports
    this.#folders = folders
  }

  /**
   * @param servers where the two servers that are not ours listen, as `host:port`
   * @param folders what is mounted, by its path in the container
   */
  static async choose(
    servers: { readonly postgres: string; readonly temporal: string },
    folders: Readonly<Record<string, string>>,
  ): Promise<ReplacedNames> {
    const ports = await Promise.all(
      OWN_PORTS.map(async (port) => [port, String(await findFreePort())] as const),
    )
    const hosts = [
      ['postgres:5432', servers.postgres],
      ['temporal:7233', servers.temporal],
    ] as const
    return new ReplacedNames(new Map(hosts), new Map(ports), new Map(Object.entries(folders)))
  }

  /** The free port that stands for a port of the file. */
  port(port: (typeof OWN_PORTS)[number]): number {
    return Number(this.#ports.get(port))
  }

  /** A text of the file as a plain process has to read it. */
  in(text: string): string {
    const hosted = [...this.#hosts].reduce((seen, [from, to]) => seen.replaceAll(from, to), text)
    const loopback = hosted.replaceAll(/\b(?:api|worker|sandbox):(?=\d)|0\.0\.0\.0/g, (found) => {
      return found.endsWith(':') ? '127.0.0.1:' : '127.0.0.1'
    })
    const ported = [...this.#ports].reduce((seen, [from, to]) => {
      return seen.replaceAll(new RegExp(`\\b${from}\\b`, 'g'), to)
    }, loopback)
    const [folder, rest] = [...this.#folders].flatMap(([from, to]) => {
      return ported === from || ported.startsWith(`${from}/`)
        ? [[to, ported.slice(from.length)]]
        : []
    })[0] ?? [ported, '']
    return `${folder}${rest}`
  }
}
