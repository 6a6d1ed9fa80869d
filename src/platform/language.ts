import { parseAccept } from 'hono/utils/accept'

/** The languages of mail and pages; the first one is the fallback. */
const LANGUAGES = ['en', 'tr'] as const
export type Language = (typeof LANGUAGES)[number]

/** Longer than any real header; the rest is ignored. */
const MAX_CHARACTERS = 200

/** The best of our languages for an `Accept-Language` header (RFC 9110 §12.5.4); regions are ignored. */
export function preferredLanguage(header: string | null): Language {
  const wanted = parseAccept((header ?? '').slice(0, MAX_CHARACTERS))
    .filter(({ q }) => q > 0)
    .sort((a, b) => b.q - a.q)
  for (const { type } of wanted) {
    const primary = type.toLowerCase().split('-')[0]
    const found = LANGUAGES.find((language) => language === primary)
    if (found) return found
  }
  return LANGUAGES[0]
}
