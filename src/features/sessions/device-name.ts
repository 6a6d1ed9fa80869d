/** For a missing or unrecognizable user agent. */
const UNKNOWN_DEVICE = 'Unknown device'

/**
 * Readable names for user agents, in the same order: `Firefox on Windows`, `Mimir on Android`. Loads the
 * browser database on first use.
 */
export async function nameDevices(userAgents: readonly (string | null)[]): Promise<string[]> {
  const { default: Bowser } = await import('bowser')
  return userAgents.map((userAgent) => {
    if (!userAgent?.trim()) return UNKNOWN_DEVICE
    const { browser, os } = Bowser.parse(userAgent)
    // Browsers mention each other's names in their user agents; an app puts its own first.
    const isBrowser = userAgent.startsWith('Mozilla/')
    const program = isBrowser ? browser.name : /^[^/(;]+/.exec(userAgent)?.[0].trim()
    return [program, os.name].filter(Boolean).join(' on ') || UNKNOWN_DEVICE
  })
}
