import type { CallOptions, Channel } from '../../src/domain/channel.js'

type Answers = { [Call in keyof Channel]: Awaited<ReturnType<Channel[Call]>> }
type Queues = { [Call in keyof Channel]: Answers[Call][] }
type Request<Call extends keyof Channel> = Parameters<Channel[Call]>[0]

export interface StubCall {
  readonly call: keyof Channel
  readonly request: Request<keyof Channel>
  readonly urgency: CallOptions['urgency']
}

/**
 * A channel that answers what a test tells it, in order; the last answer of a call repeats. A call
 * nobody prepared throws, so that no test passes by a question it did not expect.
 */
export class StubChannel implements Channel {
  readonly calls: StubCall[] = []
  readonly #queues: Queues = {
    placeOrder: [],
    queryOrder: [],
    closeOrder: [],
    submitRefund: [],
    queryRefund: [],
    listRefunds: [],
  }

  /** Forgets what was prepared for a call and prepares these answers. */
  answer<Call extends keyof Channel>(call: Call, ...answers: Answers[Call][]): this {
    const queue: Answers[Call][] = this.#queues[call]
    queue.splice(0, queue.length, ...answers)
    return this
  }

  /** The names of the calls so far, in order. */
  names(): string[] {
    return this.calls.map(({ call }) => call)
  }

  placeOrder: Channel['placeOrder'] = (order, options) => this.#next('placeOrder', order, options)
  queryOrder: Channel['queryOrder'] = (order, options) => this.#next('queryOrder', order, options)
  closeOrder: Channel['closeOrder'] = (order, options) => this.#next('closeOrder', order, options)
  submitRefund: Channel['submitRefund'] = (refund, options) =>
    this.#next('submitRefund', refund, options)
  queryRefund: Channel['queryRefund'] = (refund, options) =>
    this.#next('queryRefund', refund, options)
  listRefunds: Channel['listRefunds'] = (order, options) =>
    this.#next('listRefunds', order, options)

  async #next<Call extends keyof Channel>(
    call: Call,
    request: Request<Call>,
    { urgency }: CallOptions,
  ): Promise<Answers[Call]> {
    this.calls.push({ call, request, urgency })
    const queue: Answers[Call][] = this.#queues[call]
    const answer = queue.length > 1 ? queue.shift() : queue[0]
    if (answer === undefined) throw new Error(`No answer was prepared for ${call}.`)
    return answer
  }
}
