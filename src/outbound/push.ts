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

/** What a device is told: that there is something new, never what. */
export interface PushSignal {
  readonly data: Readonly<Record<string, string>>
  readonly ttlSeconds: number
  /** A newer signal with the same key replaces a pending older one. */
  readonly collapseKey: string
}

/** The stages of a push, in order; an outcome names the last one reached. */
export type PushHop = 'credentials' | 'address' | 'service'

export type PushOutcome = { readonly hop: PushHop; readonly code: string } & (
  | { readonly kind: 'delivered' }
  /** The device no longer exists and is to be deleted. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'retry'; readonly afterMs?: number }
  /** Our credentials are rejected: by the whole service, or for this device only. */
  | { readonly kind: 'credentials'; readonly scope: 'service' | 'device' }
  /** The service will never accept this push. */
  | { readonly kind: 'refused' }
)

export interface PushChannel {
  readonly hops: readonly PushHop[]
  /** Hands one signal to the service; failures are outcomes, never exceptions. */
  send(target: PushTarget, signal: PushSignal): Promise<PushOutcome>
}

export interface PushChannels {
  /** Absent without Firebase credentials. */
  readonly fcm: PushChannel | undefined
  readonly webpush: PushChannel
}

/** Returns the data without its `sdpOffer` if its JSON would exceed `most` bytes. */
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
