import { parse, serialize } from 'hono/utils/cookie'
import type { Ctx } from '../context.ts'

/** The one cookie that is a credential. Its name is part of the contract, by which it alone opens what follows: so no prefix. */
export const SESSION_COOKIE = 'mimir_session'

/** The value of a cookie, if it has the form of one of our tokens. */
export function cookieOf(request: Request, name: string): string | undefined {
  const header = request.headers.get('cookie')
  if (header === null) return undefined
  const value = parse(header, name)[name]
  return value !== undefined && /^[\w-]{20,200}$/.test(value) ? value : undefined
}

/**
 * A cookie that only this host gets back, that no script reads, and that no foreign page's requests carry
 * but a navigation's (RFC 6265bis). Over TLS it never travels in the clear.
 */
export function setCookie(
  config: Ctx['config'],
  name: string,
  value: string,
  maxAgeSeconds: number,
): string {
  return serialize(name, value, {
    path: '/',
    httpOnly: true,
    sameSite: 'Lax',
    secure: isSecure(config),
    // Browsers keep none longer than 400 days, and the library refuses to ask.
    maxAge: Math.min(maxAgeSeconds, 400 * 86_400),
  })
}

export function clearCookie(config: Ctx['config'], name: string): string {
  return setCookie(config, name, '', 0)
}

/** A name that browsers take from this very host over TLS alone, where there is TLS. */
export function hostCookie(config: Ctx['config'], name: string): string {
  return isSecure(config) ? `__Host-${name}` : name
}

function isSecure(config: Ctx['config']): boolean {
  return config.publicUrl.startsWith('https:')
}
