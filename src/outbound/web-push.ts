import { createHash } from 'node:crypto'
import type { Clock } from '../platform/clock.ts'
import type { Keyring } from '../platform/keyring.ts'
import { vapidPublicKey } from '../platform/vapid.ts'
import { type GuardedFetch, OutboundError } from './guarded-fetch.ts'
import { type PushChannel, type PushOutcome, retryAfter, withinBytes } from './push.ts'

/** What a record of 4096 bytes holds besides its header, tag and padding (RFC 8188). */
const MAX_DATA = 3993

export interface WebPushOptions {
  readonly keyring: Keyring
  readonly clock: Clock
  readonly fetch: GuardedFetch
  /** A `mailto:` or https URL: the contact for push services in case of trouble. */
  readonly subject: string
}

/** Web push: RFC 8030, sealed for the browser (RFC 8291), signed by this server (RFC 8292). */
export function createWebPushChannel(options: WebPushOptions): PushChannel {
  const { keyring, clock, fetch, subject } = options
  return {
    hops: ['address', 'service'],
    async send(target, signal) {
      if (target.kind !== 'webpush') throw new Error('no web push subscription')
      // A subscription is valid only for the key it was made with.
      const key = keyring.find('vapid', target.keyId)
      if (!key) return { hop: 'address', code: 'vapid_key_retired', kind: 'gone' }
      const { endpoint, p256dh, auth } = target
      try {
        // Not the library's own request function: it parses the URL with another parser than ours.
        const { default: webPush } = await import('web-push')
        const body = JSON.stringify(withinBytes(signal.data, MAX_DATA))
        const { Authorization: authorization } = webPush.getVapidHeaders(
          new URL(endpoint).origin,
          subject,
          vapidPublicKey(key.key),
          key.key.toString('base64url'),
          'aes128gcm',
        )
        const { status, headers } = await fetch({
          url: endpoint,
          method: 'POST',
          headers: {
            authorization,
            'content-type': 'application/octet-stream',
            'content-encoding': 'aes128gcm',
            ttl: String(signal.ttlSeconds),
            urgency: 'high',
            topic: topicOf(signal.collapseKey),
          },
          body: webPush.encrypt(p256dh, auth, body, 'aes128gcm').cipherText,
        })
        return readStatus(status, headers, clock)
      } catch (error) {
        return readFailure(error)
      }
    },
  }
}

/** A topic of at most 32 base64url characters (RFC 8030 §5.4), hashed to tell the service nothing. */
function topicOf(collapseKey: string): string {
  return createHash('sha256').update(collapseKey).digest('base64url').slice(0, 32)
}

function readStatus(status: number, headers: Headers, clock: Clock): PushOutcome {
  const hop = 'service'
  const code = `status_${status}`
  if (status >= 200 && status < 300) return { hop, code, kind: 'delivered' }
  if (status === 404 || status === 410) return { hop, code, kind: 'gone' }
  // For this device only: anyone can register a subscription that its service will not accept from us.
  if (status === 401 || status === 403) return { hop, code, kind: 'credentials', scope: 'device' }
  if (status === 408 || status === 429 || status >= 500) {
    return { hop, code, kind: 'retry', ...retryAfter(headers, clock.now()) }
  }
  return { hop, code, kind: 'refused' }
}

function readFailure(error: unknown): PushOutcome {
  if (!(error instanceof OutboundError)) {
    return { hop: 'address', code: 'invalid_subscription', kind: 'refused' }
  }
  const { reason } = error
  switch (reason) {
    case 'blocked':
      return { hop: 'address', code: reason, kind: 'refused' }
    case 'redirect':
      return { hop: 'service', code: reason, kind: 'refused' }
    case 'too_large':
    case 'timeout':
    case 'unreachable':
      return { hop: 'service', code: reason, kind: 'retry' }
  }
}
