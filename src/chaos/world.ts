/** The running system under test, as whoever compares its books or plants a bug reaches it. */
export interface ChaosWorld {
  readonly databaseUrls: {
    readonly owner: string
    readonly api: string
    readonly worker: string
  }
  readonly temporalAddress: string
  readonly namespace: string
  readonly sandbox: {
    /** What the control calls start with, such as `https://127.0.0.1:8443/_control`. */
    readonly controlUrl: string
    /** The certificate of the sandbox's own authority, as PEM. */
    readonly ca: string
  }
  readonly apiUrls: readonly string[]
  readonly merchantId: string
}
