import { AppError, commonErrors, definePageErrors } from '../platform/errors.ts'

/**
 * Refusals of a caller before any feature runs. The messenger's own routes keep the codes that their
 * clients know (`commonErrors`); these are for `/auth`, `/mcp` and callers that present an API key or a
 * token of another issuer.
 */
export const accessErrors = definePageErrors({
  invalidRequest: {
    code: 'invalid_request',
    kind: 'invalid',
    message: 'Send exactly one credential, in a header.',
    translated: { tr: 'Tek bir kimlik bilgisini, bir üstbilgide gönderin.' },
  },
  unauthenticated: {
    code: 'unauthenticated',
    kind: 'unauthenticated',
    message: 'A credential is required.',
    translated: { tr: 'Bunun için oturum açmanız gerekiyor.' },
  },
  invalidToken: {
    code: 'invalid_token',
    kind: 'unauthenticated',
    message: 'The credential is not valid.',
    translated: { tr: 'Kimlik bilgisi geçerli değil.' },
  },
  tokenExpired: {
    code: 'token_expired',
    kind: 'unauthenticated',
    message: 'The credential has expired.',
    translated: { tr: 'Kimlik bilgisinin süresi doldu.' },
  },
  methodNotAllowed: {
    code: 'method_not_allowed_here',
    kind: 'unauthenticated',
    message: 'This server does not accept this kind of credential.',
    translated: { tr: 'Bu sunucu bu tür kimlik bilgisini kabul etmiyor.' },
  },
  notAdmitted: {
    code: 'not_admitted',
    kind: 'forbidden',
    message: 'You do not have access to this server.',
    translated: { tr: 'Buraya girme izniniz yok.' },
  },
  insufficientPermission: {
    code: 'insufficient_permission',
    kind: 'forbidden',
    message: 'You do not have permission to do this.',
    translated: { tr: 'Bunun için gereken izniniz yok.' },
  },
  idpUnavailable: {
    code: 'idp_unavailable',
    kind: 'upstream_failed',
    message: 'The identity provider is not responding; try again later.',
    translated: { tr: 'Kimlik sağlayıcı yanıt vermiyor; daha sonra yeniden deneyin.' },
  },
})

const SECURITY_PATH = /^([A-Z]+ \/(auth|mcp)(\/|$)|mcp:)/

/** Whether an operation uses the codes of `accessErrors` for every caller: `/auth` and `/mcp`. */
export function usesAccessCodes(operation: string): boolean {
  return SECURITY_PATH.test(operation)
}

/** The challenge of RFC 6750 §3, for a credential that was presented but is not sufficient. */
export function bearerChallenge(error: string, scope?: string): string {
  return `Bearer realm="mimir", error="${error}"${scope === undefined ? '' : `, scope="${scope}"`}`
}

/** What is wrong with a credential: for the audit, not for the caller. */
export interface BadCredential {
  readonly reason: string
  readonly targetType?: string
  readonly targetId?: string
}

/** The refusal of a key or token: always the same text, with the reason kept for the audit. */
export function invalidToken(audit: BadCredential): AppError {
  return new AppError(
    accessErrors.invalidToken,
    {},
    { audit, challenge: bearerChallenge('invalid_token') },
  )
}

/** The refusal of a token without evidence of a second factor (RFC 9470 §3). */
export function secondFactorMissing(): AppError {
  const challenge = bearerChallenge('insufficient_user_authentication')
  const audit = { reason: 'second_factor_missing' }
  return new AppError(accessErrors.invalidToken, {}, { audit, challenge })
}

/** The refusal of a credential that was valid but has expired: its holder may obtain a new one. */
export function tokenExpired(audit: BadCredential): AppError {
  return new AppError(
    accessErrors.tokenExpired,
    {},
    { audit, challenge: bearerChallenge('invalid_token') },
  )
}

/** The refusal of a kind of credential that `MIMIR_AUTH_METHODS` leaves out. */
export function methodNotAllowed(method: string): AppError {
  return new AppError(
    accessErrors.methodNotAllowed,
    {},
    {
      audit: { reason: `method_not_allowed: ${method}` },
      challenge: bearerChallenge('invalid_token'),
    },
  )
}

/** The refusal of a request without a credential, in the codes of the operation's path. */
export function unauthenticated(operation: string, challenge?: string): AppError {
  const definition = usesAccessCodes(operation)
    ? accessErrors.unauthenticated
    : commonErrors.unauthorized
  return new AppError(definition, {}, challenge === undefined ? {} : { challenge })
}
