import { findTool } from '../../src/cli/local/tools.js'
import { startDevServer, type RunningDevServer } from '../../src/cli/local/temporal.js'
import { makeTestFolder } from './test-folder.js'

/** A Temporal that a test may lose with all it knows: it keeps everything in memory. */
export class OwnTemporal {
  readonly #stateDir: string
  #server: RunningDevServer

  private constructor(stateDir: string, server: RunningDevServer) {
    this.#stateDir = stateDir
    this.#server = server
  }

  static async start(name: string): Promise<OwnTemporal> {
    const stateDir = await makeTestFolder(name)
    return new OwnTemporal(stateDir, await startServer(stateDir))
  }

  get address(): string {
    return this.#server.address
  }

  /** Stops it, which loses every workflow. */
  async stop(): Promise<void> {
    await this.#server.stop()
  }

  /** Starts an empty one at the same address. */
  async startEmpty(): Promise<void> {
    const port = Number(new URL(`http://${this.address}`).port)
    this.#server = await startServer(this.#stateDir, port)
  }
}

const startServer = (stateDir: string, port?: number): Promise<RunningDevServer> =>
  startDevServer({
    cliPath: findTool('temporalCli'),
    stateDir,
    uiPort: 'headless',
    ...(port === undefined ? {} : { port }),
  })
