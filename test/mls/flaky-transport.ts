import type { StreamEvent, Transport } from '../../client/index.ts'
import type { SeededRandom } from './seeded-random.ts'

/** A network that loses requests or, worse, responses: then the server has done what was asked. */
export class FlakyTransport implements Transport {
  readonly #inner: Transport
  readonly #random: SeededRandom
  /** The probability that something is lost, from 0 to 1. */
  loss = 0

  constructor(inner: Transport, random: SeededRandom) {
    this.#inner = inner
    this.#random = random
  }

  query(...call: Parameters<Transport['query']>) {
    return this.#through(() => this.#inner.query(...call))
  }

  procedure(...call: Parameters<Transport['procedure']>) {
    return this.#through(() => this.#inner.procedure(...call))
  }

  upload(...call: Parameters<Transport['upload']>) {
    return this.#through(() => this.#inner.upload(...call))
  }

  download(...call: Parameters<Transport['download']>) {
    return this.#through(() => this.#inner.download(...call))
  }

  events(...call: Parameters<Transport['events']>): AsyncIterable<StreamEvent> {
    return this.#inner.events(...call)
  }

  async #through<T>(send: () => Promise<T>): Promise<T> {
    if (this.#random.chance(this.loss / 2)) throw new ConnectionLost('the request was lost')
    const answer = await send()
    if (this.#random.chance(this.loss / 2)) throw new ConnectionLost('the answer was lost')
    return answer
  }
}

export class ConnectionLost extends Error {}
