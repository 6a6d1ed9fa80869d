import { randomBytes } from 'node:crypto'

/**
 * Things that are there, each with one that looks alike and is nowhere: what is said of the one has to be
 * said of the other, word for word.
 */
export class Twins {
  readonly #twins = new Map<string, string>()

  add(...texts: readonly string[]): void {
    for (const text of texts) {
      if (this.#twins.has(text)) continue
      const twin = twinOf(text)
      this.#twins.set(text, twin)
      // As it stands in an address.
      this.#twins.set(encodeURIComponent(text), encodeURIComponent(twin))
    }
  }

  /** The same with nothing in it that is there. */
  unknown(text: string): string {
    return this.#replace(text, [...this.#twins])
  }

  /** Undoes it. */
  known(text: string): string {
    return this.#replace(
      text,
      [...this.#twins].map(([there, nowhere]) => [nowhere, there]),
    )
  }

  /** Which of them the text holds. */
  in(text: string): string[] {
    return [...this.#twins.keys()].filter((there) => text.includes(there))
  }

  #replace(text: string, pairs: [string, string][]): string {
    // The longest first: one may be part of another.
    const sorted = pairs.toSorted(([a], [b]) => b.length - a.length)
    return sorted.reduce((changed, [from, to]) => changed.replaceAll(from, to), text)
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Of the same form: a UUID, hexadecimal, or a text that ends otherwise. */
function twinOf(text: string): string {
  const random = randomBytes(Math.max(text.length, 16))
  if (UUID.test(text)) return `${text.slice(0, -12)}${random.toString('hex').slice(0, 12)}`
  if (/^[0-9a-f]{16,}$/.test(text)) return random.toString('hex').slice(0, text.length)
  const kept = text.lastIndexOf(':') + 1
  return text.slice(0, kept) + random.toString('hex').slice(0, text.length - kept)
}
