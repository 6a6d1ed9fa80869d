const MAX_CHARACTERS = 60

/** The client's name for itself, on one line, without characters that hide text or turn its direction. */
export function nameOf(said: string | undefined): string | undefined {
  const line = (said ?? '').toWellFormed().replace(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/gu, ' ')
  const name = [...line.replace(/\s+/g, ' ').trim()].slice(0, MAX_CHARACTERS).join('')
  return name === '' ? undefined : name
}
