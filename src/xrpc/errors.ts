import { defineErrors } from '../platform/errors.ts'

/** Refusals that any XRPC method can return, under ATProto's names for them. */
export const xrpcErrors = defineErrors({
  invalidRequest: {
    code: 'InvalidRequest',
    kind: 'invalid',
    message: 'The request does not match its lexicon.',
  },
  authenticationRequired: {
    code: 'AuthenticationRequired',
    kind: 'unauthenticated',
    message: 'A valid token is required.',
  },
  consumerTooSlow: {
    code: 'ConsumerTooSlow',
    kind: 'unavailable',
    message: 'You are reading too slowly: reconnect with your last cursor.',
  },
})

/** XRPC names of the refusals that other layers throw. */
const NAMES: Readonly<Record<string, string>> = {
  invalid_json: 'InvalidRequest',
  incomplete_body: 'InvalidRequest',
  validation_failed: 'InvalidRequest',
  unauthorized: 'AuthenticationRequired',
  method_not_allowed_here: 'AuthenticationRequired',
  invalid_token: 'InvalidToken',
  token_expired: 'ExpiredToken',
  invalid_request: 'InvalidRequest',
  forbidden: 'Forbidden',
  insufficient_permission: 'Forbidden',
  not_found: 'NotFound',
  payload_too_large: 'PayloadTooLarge',
  request_timeout: 'RequestTimeout',
  rate_limited: 'RateLimitExceeded',
  store_unavailable: 'ServiceUnavailable',
  shutting_down: 'ServiceUnavailable',
  locked_down: 'ServiceUnavailable',
  read_only: 'ServiceUnavailable',
  audit_unavailable: 'ServiceUnavailable',
  consent_required: 'ConsentRequired',
  internal_error: 'InternalServerError',
}

/** Names that a lexicon need not declare for each method. */
export const COMMON_NAMES: ReadonlySet<string> = new Set([
  ...Object.values(NAMES),
  'NotAdmitted',
  'AccountPending',
])

export function xrpcName(code: string): string {
  return NAMES[code] ?? code
}
