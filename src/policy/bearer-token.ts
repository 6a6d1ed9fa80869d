import { AppError, commonErrors } from '../platform/errors.ts'

/** The token of `Authorization: Bearer …` (RFC 6750 §2.1), or undefined without one. */
export function bearerToken(headers: Headers): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1]
}

/** The same where a request cannot do without: throws `unauthorized`. */
export function requireBearerToken(headers: Headers): string {
  const token = bearerToken(headers)
  if (token === undefined) throw new AppError(commonErrors.unauthorized)
  return token
}
