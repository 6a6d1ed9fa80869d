/**
 * Why a provider's answer is not accepted. `unavailable` may pass; `refused`: the provider rejected the code;
 * `response`: the callback is an error or not from the provider; `token`: its token is not valid.
 */
export class OidcError extends Error {
  readonly reason: 'unavailable' | 'refused' | 'response' | 'token'
  /** The provider's error code (RFC 6749 §4.1.2.1), if it gave one. */
  readonly providerError: string | undefined

  constructor(
    reason: OidcError['reason'],
    message: string,
    options: ErrorOptions & { providerError?: string | undefined } = {},
  ) {
    super(message, options)
    this.name = 'OidcError'
    this.reason = reason
    this.providerError = options.providerError
  }
}
