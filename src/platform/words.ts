/** Text without case, accents and compatibility forms. The Turkish dotless i is an i. */
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
