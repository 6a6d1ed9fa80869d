import { randomBytes } from 'node:crypto'

/**
 * Existing values, each with a similar one that does not exist: responses for the two must be the same,
 * word for word.
 */
export class Twins {
  readonly #twins = new Map<string, string>()

  add(...texts: readonly string[]): void {
    for (const text of texts) {
      if (this.#twins.has(text)) continue
      const twin = twinOf(text)
      this.#twins.set(text, twin)
      // As encoded in a URL.
      this.#twins.set(encodeURIComponent(text), encodeURIComponent(twin))
    }
  }

  /** The text with every existing value replaced by its twin. */
  unknown(text: string): string {
    return this.#replace(text, [...this.#twins])
  }

  /** Reverses `unknown`. */
  known(text: string): string {
    return this.#replace(
      text,
      [...this.#twins].map(([there, nowhere]) => [nowhere, there]),
    )
  }

  /** The existing values that the text contains. */
  in(text: string): string[] {
    return [...this.#twins.keys()].filter((there) => text.includes(there))
  }

  #replace(text: string, pairs: [string, string][]): string {
    // Longest first, since one may be part of another.
    const sorted = pairs.toSorted(([a], [b]) => b.length - a.length)
    return sorted.reduce((changed, [from, to]) => changed.replaceAll(from, to), text)
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** A value of the same form: a UUID, hexadecimal, or a text with another ending. */
function twinOf(text: string): string {
  const random = randomBytes(Math.max(text.length, 16))
  if (UUID.test(text)) return `${text.slice(0, -12)}${random.toString('hex').slice(0, 12)}`
  if (/^[0-9a-f]{16,}$/.test(text)) return random.toString('hex').slice(0, text.length)
  const kept = text.lastIndexOf(':') + 1
  return text.slice(0, kept) + random.toString('hex').slice(0, text.length - kept)
}
