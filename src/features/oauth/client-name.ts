const MOST_CHARACTERS = 60

/** What a client calls itself, on one line, without what turns writing round or hides in it. */
export function nameOf(said: string | undefined): string | undefined {
  const line = (said ?? '').toWellFormed().replace(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/gu, ' ')
  const name = [...line.replace(/\s+/g, ' ').trim()].slice(0, MOST_CHARACTERS).join('')
  return name === '' ? undefined : name
}
