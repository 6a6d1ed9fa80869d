import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { reasonOf } from '../platform/errors.ts'

/** Reads the settings of a file, none if it does not exist; errors are added to `problems`. */
export function readSettingsFile(file: string, problems: string[]): Record<string, string> {
  if (!existsSync(file)) return {}
  try {
    const text = readFileSync(file, 'utf8')
    problems.push(...findBadLines(text).map((problem) => `${file}, ${problem}`))
    return parseEnv(text) as Record<string, string>
  } catch (error) {
    problems.push(`${file}: ${reasonOf(error)}`)
    return {}
  }
}

const QUOTES = ['"', "'", '`']

/** Finds errors that `parseEnv` silently ignores. The line is not quoted: it may contain part of a secret. */
function findBadLines(text: string): string[] {
  const problems: string[] = []
  const lines = text.split(/\r?\n/)
  for (let index = 0; index < lines.length; index++) {
    const line = (lines[index] as string).trim()
    if (line === '' || line.startsWith('#')) continue
    const assignment = /^(?:export\s+)?[A-Za-z_]\w*\s*=\s*(.*)$/.exec(line)
    if (!assignment) {
      problems.push(`line ${index + 1}: neither NAME=value nor a comment, which begins with #`)
      continue
    }
    const value = assignment[1] as string
    const quote = value[0] ?? ''
    if (!QUOTES.includes(quote)) continue
    const isOnLine = value.includes(quote, 1)
    const end = isOnLine
      ? index
      : lines.findIndex((later, at) => at > index && later.includes(quote))
    const behind = isOnLine ? value.slice(1) : (lines[end] ?? '')
    if (end < 0) problems.push(`line ${index + 1}: the quote before the value is not closed`)
    else if (!/^\s*(#.*)?$/.test(behind.slice(behind.indexOf(quote) + 1))) {
      problems.push(`line ${end + 1}: something follows the quote that closes the value`)
    }
    index = Math.max(index, end)
  }
  return problems
}
