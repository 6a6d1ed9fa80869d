import { isIPv4 } from 'node:net'

/** Whether the host of a listener or a URL is this machine, by whatever name nobody else can have. */
export function isLoopback(host: string): boolean {
  if (['localhost', '::1', '[::1]'].includes(host)) return true
  // The beginning alone proves nothing: `127.example.org` can be anybody's.
  return isIPv4(host) && host.startsWith('127.')
}
