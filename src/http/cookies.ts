import { parse, serialize } from 'hono/utils/cookie'
import type { Ctx } from '../context.ts'

/** The only cookie that is a credential. Its name is part of the contract, so it has no `__Host-` prefix. */
export const SESSION_COOKIE = 'mimir_session'

/** The value of a cookie, if it has the form of one of our tokens. */
export function cookieOf(request: Request, name: string): string | undefined {
  const header = request.headers.get('cookie')
  if (header === null) return undefined
  const value = parse(header, name)[name]
  return value !== undefined && /^[\w-]{20,200}$/.test(value) ? value : undefined
}

/**
 * Returns a cookie that only this host receives, that scripts cannot read, and that requests from other
 * sites carry only when they are navigations (RFC 6265bis). With an https public URL it is `Secure`.
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
    // Browsers cap cookies at 400 days, and the library throws above that.
    maxAge: Math.min(maxAgeSeconds, 400 * 86_400),
  })
}

export function clearCookie(config: Ctx['config'], name: string): string {
  return setCookie(config, name, '', 0)
}

/** Where there is TLS, prefixes the name with `__Host-`: browsers accept it only from this host, over TLS. */
export function hostCookie(config: Ctx['config'], name: string): string {
  return isSecure(config) ? `__Host-${name}` : name
}

function isSecure(config: Ctx['config']): boolean {
  return config.publicUrl.startsWith('https:')
}
