import { createHmac, randomBytes } from 'node:crypto'

/** Start of a word; also right after an escape, whose letter does not belong to the word. */
const START = String.raw`(?:(?<=\\[nrtbf])|(?<![\w.-]))`

/** Patterns of values that must not be logged; the group's name appears in the replacement. */
const PATTERNS = [
  // Matches JSON escapes as a whole, so that none is cut in two.
  String.raw`\\(?:u[0-9a-fA-F]{4}|.)`,
  String.raw`(?<token>${START}(?:eyJ[\w-]+\.[\w-]+\.[\w-]*|mimir_[\w-]{8,})|(?<=\b(?:Bearer|Basic) )[\w.~+/=-]+)`,
  String.raw`(?<parameter>(?<=[?&](?:access_token|token|code|state|secret|key)=)[^&\s"\\]+)`,
  String.raw`(?<password>(?<=\b[a-z]+:\/\/[^\s:@/"\\]*:)[^\s@/"\\]+(?=@))`,
  String.raw`(?<email>[\w.!#$%&'*+/=?^{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+)`,
  String.raw`(?<phone>\+\d(?:[ ()-]{0,2}\d){7,14})`,
  String.raw`(?<ssn>${START}\d{3}-\d{2}-\d{4}(?![\w-]))`,
  String.raw`(?<card>${START}\d(?:[ -]?\d){12,18}(?![\w.-]))`,
]
const PATTERN = new RegExp(PATTERNS.join('|'), 'g')
const TAG_DIGITS = 8

/**
 * Masks credentials and people's addresses and numbers in a line of JSON, which stays valid. Equal values
 * get equal tags while the process runs, so that related lines can still be matched.
 */
export function createRedactor(): (line: string) => string {
  const key = randomBytes(32)
  const tag = (value: string) =>
    createHmac('sha256', key).update(value.toLowerCase()).digest('hex').slice(0, TAG_DIGITS)
  return (line) =>
    line.replace(PATTERN, (match: string, ...rest: unknown[]) => {
      const groups = rest.at(-1) as Record<string, string | undefined>
      const kind = Object.keys(groups).find((name) => groups[name] !== undefined)
      if (!kind || (kind === 'card' && !isCard(match))) return match
      return `[${kind}:${tag(match)}]`
    })
}

/** Whether the digits end in the check digit of a payment card (ISO/IEC 7812, Luhn). */
function isCard(text: string): boolean {
  const digits = [...text.replaceAll(/\D/g, '')].reverse().map(Number)
  const sum = digits.reduce((total, digit, place) => {
    const counted = place % 2 === 0 ? digit : digit * 2
    return total + (counted > 9 ? counted - 9 : counted)
  }, 0)
  return sum % 10 === 0
}
