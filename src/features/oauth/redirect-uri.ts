const LOOPBACK = ['127.0.0.1', '[::1]', 'localhost']

/** Schemes that a browser, or the system behind it, runs or opens instead of handing them to an app. */
const NO_APP = [
  ...['about', 'blob', 'data', 'file', 'filesystem', 'ftp', 'intent', 'javascript', 'mailto'],
  ...['ms-settings', 'ms-msdt', 'search-ms', 'shell', 'sms', 'tel', 'vbscript', 'view-source'],
  ...['ws', 'wss', 'chrome', 'jar', 'res'],
]

/**
 * Whether a client may be answered at the address at all: over TLS, on the person's own device, or by a
 * scheme of an app's own (RFC 8252 §7). What it must not be able to do is to run as a page of ours.
 */
export function isUsableRedirect(uri: string): boolean {
  if (!/^[\x21-\x7e]+$/.test(uri) || /[#\\<>"'`]/.test(uri)) return false
  const url = URL.parse(uri)
  if (!url) return false
  switch (url.protocol) {
    case 'https:':
      return url.username === '' && url.password === ''
    case 'http:':
      return isLoopback(url) && url.username === '' && url.password === ''
    default:
      return !NO_APP.includes(url.protocol.slice(0, -1))
  }
}

/** Whether the address is one of the registered: letter by letter, but for the port of the own device. */
export function isRegistered(uri: string, registered: readonly string[]): boolean {
  if (registered.includes(uri)) return true
  // An app takes what port is free (RFC 8252 §7.3).
  const anyPort = withoutPort(uri)
  return anyPort !== undefined && registered.some((one) => withoutPort(one) === anyPort)
}

/** Whether whoever is answered there runs on the person's own device. */
export function isLoopback({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && LOOPBACK.includes(hostname)
}

function withoutPort(uri: string): string | undefined {
  const url = URL.parse(uri)
  if (!url || !isLoopback(url) || uri.includes('#')) return undefined
  url.port = ''
  return url.href
}

/** The address with the parameters of an answer (RFC 6749 §4.1.2); what it had itself stays. */
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
