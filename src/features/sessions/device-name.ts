/** What a device is called of which nothing is known. */
const UNKNOWN_DEVICE = 'Unknown device'

/**
 * What to call devices by their user agents, for people: `Firefox on Windows`, `Mimir on Android`. In
 * their order; loads what knows the browsers when it is first asked.
 */
export async function nameDevices(userAgents: readonly (string | null)[]): Promise<string[]> {
  const { default: Bowser } = await import('bowser')
  return userAgents.map((userAgent) => {
    if (!userAgent?.trim()) return UNKNOWN_DEVICE
    const { browser, os } = Bowser.parse(userAgent)
    // Browsers call themselves by each other's names; an app by its own, at the beginning.
    const isBrowser = userAgent.startsWith('Mozilla/')
    const program = isBrowser ? browser.name : /^[^/(;]+/.exec(userAgent)?.[0].trim()
    return [program, os.name].filter(Boolean).join(' on ') || UNKNOWN_DEVICE
  })
}
