/** The longest token that is parsed, in characters; headers are no longer than this. */
const MAX_TOKEN = 16 * 1024

/**
 * Returns the unverified claim at the path, used only to route the request: the tenant verifies the token
 * with its own keys. Undefined if the token is not a JWT or has no such claim.
 */
export function claimOf(token: string | undefined, path: readonly string[]): string | undefined {
  const [, payload, signature, ...more] = token?.split('.') ?? []
  if (!token || token.length > MAX_TOKEN || !payload || !signature || more.length > 0)
    return undefined
  try {
    let value: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    for (const name of path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name))
        return undefined
      value = (value as Record<string, unknown>)[name]
    }
    return typeof value === 'string' && value !== '' ? value : undefined
  } catch {
    return undefined
  }
}
