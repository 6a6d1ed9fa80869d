import { isLoopback } from '../../config/loopback.ts'

/** Schemes that a browser or the system runs or opens itself instead of passing them to an app. */
const NO_APP = [
  ...['about', 'blob', 'data', 'file', 'filesystem', 'ftp', 'intent', 'javascript', 'mailto'],
  ...['ms-settings', 'ms-msdt', 'search-ms', 'shell', 'sms', 'tel', 'vbscript', 'view-source'],
  ...['ws', 'wss', 'chrome', 'jar', 'res'],
]

/**
 * Whether a client may use the redirect URI at all: over TLS, on the user's own device, or with an app's own
 * scheme (RFC 8252 §7). It must not be able to run as a page of ours.
 */
export function isUsableRedirect(uri: string): boolean {
  if (!/^[\x21-\x7e]+$/.test(uri) || /[#\\<>"'`]/.test(uri)) return false
  const url = URL.parse(uri)
  if (!url) return false
  switch (url.protocol) {
    case 'https:':
      return url.username === '' && url.password === ''
    case 'http:':
      return isOnThisDevice(url) && url.username === '' && url.password === ''
    default:
      return !NO_APP.includes(url.protocol.slice(0, -1))
  }
}

/** Whether the URI is registered: an exact match, except for the port of a loopback address. */
export function isRegistered(uri: string, registered: readonly string[]): boolean {
  if (registered.includes(uri)) return true
  // An app listens on any free port (RFC 8252 §7.3).
  const anyPort = withoutPort(uri)
  return anyPort !== undefined && registered.some((one) => withoutPort(one) === anyPort)
}

/** Whether the address is on the user's own device (RFC 8252 §7.3). */
export function isOnThisDevice({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && isLoopback(hostname)
}

function withoutPort(uri: string): string | undefined {
  const url = URL.parse(uri)
  if (!url || !isOnThisDevice(url) || uri.includes('#')) return undefined
  url.port = ''
  return url.href
}

/** The redirect URI with the response parameters (RFC 6749 §4.1.2) added to its own. */
export function answerAt(
  uri: string,
  answer: Readonly<Record<string, string | undefined>>,
): string {
  const url = new URL(uri)
  for (const [name, value] of Object.entries(answer)) {
    if (value !== undefined) url.searchParams.append(name, value)
  }
  return url.href
}
