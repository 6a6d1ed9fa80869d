/** The token of `Authorization: Bearer …` (RFC 6750 §2.1), or undefined without one. */
export function bearerToken(headers: Headers): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1]
}
