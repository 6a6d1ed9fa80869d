/** The longest token that is looked into, in characters; a header takes no longer one. */
const MAX_TOKEN = 16 * 1024

/**
 * What the token says at the path, believed for nothing but where the request goes: whoever is there
 * verifies the token by keys of their own. Undefined for what is no JWT, or says nothing there.
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
