import type { JWT } from 'google-auth-library'
import type { FirebaseConfig } from '../config/push.ts'
import type { Clock } from '../platform/clock.ts'
import { type GuardedFetch, type OutboundAnswer, OutboundError } from './guarded-fetch.ts'
import {
  type PushChannel,
  type PushOutcome,
  type PushSignal,
  type PushTarget,
  retryAfter,
  withinBytes,
} from './push.ts'

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging'
/** Largest data of a message, in bytes. */
const MAX_DATA = 4096

export interface FcmOptions {
  readonly firebase: FirebaseConfig
  readonly privateKey: string
  readonly clock: Clock
  readonly fetch: GuardedFetch
}

/** Firebase Cloud Messaging, HTTP v1: data messages at high priority. */
export function createFcmChannel({ firebase, privateKey, clock, fetch }: FcmOptions): PushChannel {
  const url = `${firebase.endpoint}/v1/projects/${encodeURIComponent(firebase.projectId)}/messages:send`
  let client: Promise<JWT> | undefined

  /** Makes Google's library use our fetch and the token URL of the credentials file. */
  const connect = async (): Promise<JWT> => {
    const { JWT: Client } = await import('google-auth-library')
    return new Client({
      email: firebase.clientEmail,
      key: privateKey,
      scopes: [SCOPE],
      transporterOptions: {
        retry: false,
        fetchImplementation: async (_input, init) => {
          const answer = await fetch({
            url: firebase.tokenUri,
            method: 'POST',
            headers: Object.fromEntries(new Headers(init?.headers ?? {})),
            body: await new Response(init?.body ?? '').text(),
            trusted: true,
          })
          const body = new Uint8Array(answer.body)
          return new Response(body, { status: answer.status, headers: answer.headers })
        },
      },
    })
  }

  const accessToken = async (): Promise<string | PushOutcome> => {
    try {
      client ??= connect()
      const { token } = await (await client).getAccessToken()
      return token ?? { hop: 'credentials', code: 'no_token', kind: 'retry' }
    } catch (error) {
      client = undefined
      return tokenFailure(error)
    }
  }

  return {
    hops: ['credentials', 'service'],
    async send(target, signal) {
      const token = await accessToken()
      if (typeof token !== 'string') return token
      try {
        const answer = await fetch({
          url,
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ message: toMessage(target, signal, clock) }),
          trusted: true,
        })
        const outcome = readAnswer(answer, clock)
        // A token that is no longer valid must not be reused after the pause.
        if (outcome.kind === 'credentials') client = undefined
        return outcome
      } catch (error) {
        const code = error instanceof OutboundError ? error.reason : 'unexpected'
        return { hop: 'service', code, kind: 'retry' }
      }
    },
  }
}

function toMessage(target: PushTarget, signal: PushSignal, clock: Clock): object {
  if (target.kind !== 'fcm') throw new Error('no target of FCM')
  const { ttlSeconds, collapseKey } = signal
  const data = withinBytes(signal.data, MAX_DATA)
  if (target.platform === 'Android') {
    const android = { priority: 'HIGH', ttl: `${ttlSeconds}s`, collapse_key: collapseKey }
    return { token: target.token, data, android }
  }
  // Apple accepts a message without text only as a background one, and those only at priority 5.
  const headers = {
    'apns-push-type': 'background',
    'apns-priority': '5',
    'apns-expiration': String(Math.floor(clock.now() / 1000) + ttlSeconds),
    'apns-collapse-id': collapseKey,
  }
  const payload = { aps: { 'content-available': 1 } }
  return { token: target.token, data, apns: { headers, payload } }
}

/** The token endpoint refused our key (final), or did not answer properly (worth a retry). */
function tokenFailure(error: unknown): PushOutcome {
  const { response } = error as { response?: { status?: number; data?: { error?: unknown } } }
  const refused = response?.data?.error
  const status = response?.status ?? 0
  if (typeof refused === 'string' && status >= 400 && status < 500 && status !== 429) {
    return { hop: 'credentials', code: refused, kind: 'credentials', scope: 'service' }
  }
  // A key that cannot sign fails before anything is sent.
  const signing = response === undefined && /key|PEM|DECODER|asn1/i.test(String(error))
  if (signing && !(error instanceof OutboundError) && !isNetwork(error)) {
    return { hop: 'credentials', code: 'invalid_key', kind: 'credentials', scope: 'service' }
  }
  return { hop: 'credentials', code: status ? `status_${status}` : 'unreachable', kind: 'retry' }
}

function isNetwork(error: unknown): boolean {
  return (error as { cause?: unknown })?.cause instanceof OutboundError
}

/** Google's documented errors: https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode. */
function readAnswer({ status, headers, body }: OutboundAnswer, clock: Clock): PushOutcome {
  const hop = 'service'
  const answer = parse(body)
  if (status === 200 && typeof answer.name === 'string') {
    return { hop, code: 'accepted', kind: 'delivered' }
  }
  const code = errorCode(answer) ?? (status === 200 ? 'garbage' : `status_${status}`)
  switch (code) {
    case 'UNREGISTERED':
    case 'SENDER_ID_MISMATCH':
      return { hop, code, kind: 'gone' }
    case 'INVALID_ARGUMENT':
      return { hop, code, kind: 'refused' }
    // Apple's certificate in the Firebase project is not accepted; Android devices are unaffected.
    case 'THIRD_PARTY_AUTH_ERROR':
      return { hop, code, kind: 'credentials', scope: 'device' }
  }
  if (status === 401 || status === 403) {
    return { hop, code, kind: 'credentials', scope: 'service' }
  }
  return { hop, code, kind: 'retry', ...retryAfter(headers, clock.now()) }
}

interface Answer {
  readonly name?: unknown
  readonly error?: { readonly status?: unknown; readonly details?: unknown }
}

function parse(body: Buffer): Answer {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

function errorCode({ error }: Answer): string | undefined {
  const details = Array.isArray(error?.details) ? error.details : []
  for (const detail of details) {
    if (typeof detail?.errorCode === 'string') return detail.errorCode
  }
  return typeof error?.status === 'string' ? error.status : undefined
}
