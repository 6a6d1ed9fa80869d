/** Where a push goes: a token of Firebase Cloud Messaging, or a web push subscription. */
export type PushTarget =
  | { readonly kind: 'fcm'; readonly token: string; readonly platform: 'Android' | 'Ios' }
  | {
      readonly kind: 'webpush'
      readonly endpoint: string
      readonly p256dh: string
      readonly auth: string
      /** The VAPID key that the subscription was made with. */
      readonly keyId: string
    }

/** What a device is told: that something is there, never what. */
export interface PushSignal {
  readonly data: Readonly<Record<string, string>>
  readonly ttlSeconds: number
  /** A newer signal with the same key takes the place of an older one that still waits. */
  readonly collapseKey: string
}

/** The stations of a push in their order; the last one reached is where it ended. */
export type PushHop = 'credentials' | 'address' | 'service'

export type PushOutcome = { readonly hop: PushHop; readonly code: string } & (
  | { readonly kind: 'delivered' }
  /** The device is no more: it is to be forgotten. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'retry'; readonly afterMs?: number }
  /** Our credentials are not taken: by the whole service, or for this one device. */
  | { readonly kind: 'credentials'; readonly scope: 'service' | 'device' }
  /** The service will never take this one. */
  | { readonly kind: 'refused' }
)

export interface PushChannel {
  readonly hops: readonly PushHop[]
  /** Hands one signal to the service; whatever happens is an outcome, never an exception. */
  send(target: PushTarget, signal: PushSignal): Promise<PushOutcome>
}

export interface PushChannels {
  /** Absent without Firebase credentials. */
  readonly fcm: PushChannel | undefined
  readonly webpush: PushChannel
}

/** The data as text of at most so many bytes; an `sdpOffer` that makes it larger is left out. */
export function withinBytes(
  data: Readonly<Record<string, string>>,
  most: number,
): Record<string, string> {
  const { sdpOffer, ...rest } = data
  const fits = Buffer.byteLength(JSON.stringify(data)) <= most
  return fits || sdpOffer === undefined ? { ...data } : rest
}

/** `Retry-After` (RFC 9110 §10.2.3) in milliseconds from now, a day at most. */
export function retryAfter(headers: Headers, now: number): { afterMs?: number } {
  const value = headers.get('retry-after')
  if (value === null) return {}
  const milliseconds = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  return milliseconds > 0 ? { afterMs: Math.min(milliseconds, 86_400_000) } : {}
}
