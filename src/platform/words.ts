/** Removes case, accents and compatibility forms. The Turkish dotless i becomes i. */
export function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase()
    .replaceAll('ı', 'i')
}

/** The folded words of a query. */
export function wordsOf(query: string): string[] {
  return fold(query).split(/\s+/u).filter(Boolean)
}

/** Words are cut to this length. */
const MAX_TOKEN = 64

/** The folded words of a text: runs of letters, digits and underscores. */
export function* tokensOf(text: string): Generator<string> {
  for (const [word] of fold(text).matchAll(/[\p{L}\p{N}_]+/gu)) {
    yield word.length > MAX_TOKEN ? word.slice(0, MAX_TOKEN) : word
  }
}
