import type { Language } from './language.ts'

/** All kinds of refusals. Each transport maps every kind in one exhaustive switch. */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'gone'
  | 'too_large'
  | 'too_slow'
  | 'range_not_satisfiable'
  | 'outdated_client'
  | 'rate_limited'
  | 'unavailable'
  | 'upstream_failed'
  | 'internal'

type Translated = Readonly<Record<Exclude<Language, 'en'>, string>>

export interface ErrorDefinition {
  readonly code: string
  readonly kind: ErrorKind
  /** One sentence for a person. */
  readonly message: string
  /** The message in the other languages, for pages; programs get the code and English. */
  readonly translated?: Translated | undefined
  /** The code a hub completion carries where the fixed contract differs from REST's. */
  readonly hubCode?: string
}

/** Further parts of a refusal, for the response's headers and the audit, not for its body. */
export interface RefusalOptions extends ErrorOptions {
  /** Seconds after which a retry may succeed. */
  readonly retryAfterSeconds?: number
  /** The `WWW-Authenticate` of the answer, where it is not a plain `Bearer` (RFC 9110 §11.6.1). */
  readonly challenge?: string
  /** The actual reason for a refusal that tells the caller less. */
  readonly audit?: {
    readonly reason: string
    readonly targetType?: string
    readonly targetId?: string
  }
}

/** A refusal with a stable code, a kind and a sentence for the caller; its `cause` is never sent. */
export class AppError extends Error {
  readonly code: string
  readonly kind: ErrorKind
  readonly translated: Translated | undefined
  readonly hubCode: string
  /** Further fields of the error body, for example `{max: 50}` or `{fields: {...}}`. */
  readonly details: Readonly<Record<string, unknown>>
  readonly retryAfterSeconds: number | undefined
  readonly challenge: string | undefined
  readonly audit: RefusalOptions['audit']

  constructor(
    definition: ErrorDefinition,
    details: Record<string, unknown> = {},
    options: RefusalOptions = {},
  ) {
    super(definition.message, options)
    this.name = 'AppError'
    this.code = definition.code
    this.kind = definition.kind
    this.translated = definition.translated
    this.hubCode = definition.hubCode ?? definition.code
    this.details = details
    this.retryAfterSeconds = options.retryAfterSeconds
    this.challenge = options.challenge
    this.audit = options.audit
  }
}

/** Keeps the literal codes of a slice's refusals, so that a misspelt one does not compile. */
export function defineErrors<const T extends Record<string, ErrorDefinition>>(definitions: T): T {
  return definitions
}

interface PageError extends ErrorDefinition {
  readonly translated: Translated
}

/** Like `defineErrors`, for refusals that people may see on a page: in every language. */
export function definePageErrors<const T extends Record<string, PageError>>(definitions: T): T {
  return definitions
}

/** The refusals that belong to no slice. */
export const commonErrors = definePageErrors({
  invalidJson: {
    code: 'invalid_json',
    kind: 'invalid',
    message: 'The request body is not valid JSON.',
    translated: { tr: 'İsteğin gövdesi geçerli bir JSON değil.' },
  },
  validationFailed: {
    code: 'validation_failed',
    kind: 'invalid',
    message: 'Some fields are invalid.',
    translated: { tr: 'Bazı alanlar kurallara uymuyor.' },
  },
  unauthorized: {
    code: 'unauthorized',
    kind: 'unauthenticated',
    message: 'A valid access token is required.',
    translated: { tr: 'Geçerli bir erişim belirteci gerekiyor.' },
  },
  forbidden: {
    code: 'forbidden',
    kind: 'forbidden',
    message: 'You may not do this.',
    translated: { tr: 'Bunu yapma izniniz yok.' },
  },
  notFound: {
    code: 'not_found',
    kind: 'not_found',
    message: 'There is nothing here.',
    translated: { tr: 'Burada bir şey yok.' },
  },
  payloadTooLarge: {
    code: 'payload_too_large',
    kind: 'too_large',
    message: 'The request body is too large.',
    translated: { tr: 'Gönderilen veri çok büyük.' },
  },
  incompleteBody: {
    code: 'incomplete_body',
    kind: 'invalid',
    message: 'The request body is incomplete.',
    translated: { tr: 'Gönderilen veri tamamlanmadan kesildi.' },
  },
  requestTimeout: {
    code: 'request_timeout',
    kind: 'too_slow',
    message: 'The request body took too long to arrive.',
    translated: { tr: 'Gönderilen verinin ulaşması çok uzun sürdü.' },
  },
  rateLimited: {
    code: 'rate_limited',
    kind: 'rate_limited',
    message: 'Too many requests; try again later.',
    translated: { tr: 'Çok fazla istek gönderildi; daha sonra yeniden deneyin.' },
  },
  storeUnavailable: {
    code: 'store_unavailable',
    kind: 'unavailable',
    message: 'The store is unavailable; check whether the change was made before you retry.',
    translated: {
      tr: 'Veri deposu şu anda kullanılamıyor; yeniden denemeden önce sonucu kontrol edin.',
    },
  },
  shuttingDown: {
    code: 'shutting_down',
    kind: 'unavailable',
    message: 'The server is stopping; try again in a moment.',
    translated: { tr: 'Sunucu kapanıyor; birazdan yeniden deneyin.' },
  },
  internal: {
    code: 'internal_error',
    kind: 'internal',
    message: 'Something went wrong on the server.',
    translated: { tr: 'Sunucuda bir sorun oluştu.' },
  },
})

/** The message for the operator, including why the store cannot be used. */
export function operatorMessage({ code, message, cause }: AppError): string {
  const sentence = message.replace(/\.$/, '')
  if (code !== commonErrors.storeUnavailable.code || !cause) return sentence
  const hint = 'is the database reachable, and is there room on the disk?'
  return `${sentence}: ${reasonOf(cause)}; ${hint}`
}

/** Why something failed, in words. An error that sums up several attempts (one per address) has only a code. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message || (codeOf(error) ?? error.name) : String(error)
}

export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}
