/**
 * Why a provider's answer is not taken. `unavailable` may pass; `refused`: the provider did not honour the
 * code; `response`: what the browser brought is not the provider's; `token`: its token is not good.
 */
export class OidcError extends Error {
  readonly reason: 'unavailable' | 'refused' | 'response' | 'token'
  /** The provider's own word (RFC 6749 §4.1.2.1), where it gave one. */
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
