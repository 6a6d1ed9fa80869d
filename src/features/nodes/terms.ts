import { tokensOf } from '../../platform/words.ts'
import { type Properties, textsIn } from './schema.ts'
import type { Vault } from './vault.ts'

/** Most words of a node that are indexed; later ones are stored but cannot be searched for. */
const MAX_WORDS = 1500

export function wordTerm(vault: Vault, word: string): string {
  return vault.term(`w:${word}`)
}

/** The term of a top-level property that has the value, or whose list contains it. */
export function valueTerm(vault: Vault, name: string, value: unknown): string {
  return vault.term(`p:${name}=${JSON.stringify(value)}`)
}

/** The terms that a node is found by: its words and the values of its properties. */
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
      if (words.size >= MAX_WORDS) break
      words.add(word)
    }
  }
  for (const word of words) terms.add(wordTerm(vault, word))
  return [...terms]
}

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}
