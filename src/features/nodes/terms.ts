import { tokensOf } from '../../platform/words.ts'
import { type Properties, textsIn } from './schema.ts'
import type { Vault } from './vault.ts'

/** Words of a node that can be looked for; those after them are in the node, but not found by it. */
const MOST_WORDS = 1500

export function wordTerm(vault: Vault, word: string): string {
  return vault.term(`w:${word}`)
}

/** That a top-level property has the value, or its list holds it. */
export function valueTerm(vault: Vault, name: string, value: unknown): string {
  return vault.term(`p:${name}=${JSON.stringify(value)}`)
}

/** What a node is found by: its words, and the values of its properties. */
export function termsOf(vault: Vault, properties: Properties): string[] {
  const terms = new Set<string>()
  for (const [name, value] of Object.entries(properties)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (isScalar(item)) terms.add(valueTerm(vault, name, item))
    }
  }
  const words = new Set<string>()
  for (const text of textsIn(properties)) {
    for (const word of tokensOf(text)) {
      if (words.size >= MOST_WORDS) break
      words.add(word)
    }
  }
  for (const word of words) terms.add(wordTerm(vault, word))
  return [...terms]
}

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}
