import { timingSafeEqual } from 'node:crypto'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../platform/errors.ts'
import { hmacToken } from '../../platform/tokens.ts'
import { nameOf } from './client-name.ts'
import { oauthErrors } from './errors.ts'
import { isUsableRedirect } from './redirect-uri.ts'
import { ClientMetadata } from './schema.ts'

const PREFIX = 'dyn.'
/** So that the id, in an address within an address, still fits where addresses go. */
const MOST_BYTES = 1000

/** What a registered client's id says. */
export interface Registration {
  readonly name: string
  readonly redirectUris: readonly string[]
}

/**
 * Registers a client (RFC 7591) without keeping anything: its id is what it said, with our seal. So anybody
 * may ask, and nothing fills up; a client whose id no key here vouches for any more registers anew.
 */
export function registerClient(ctx: Pick<Ctx, 'keyring' | 'clock'>, body: unknown) {
  const parsed = ClientMetadata.safeParse(body)
  if (!parsed.success) throw new AppError(oauthErrors.invalidClientMetadata)
  const { client_name, redirect_uris: redirectUris } = parsed.data
  if (!redirectUris.every(isUsableRedirect)) throw new AppError(oauthErrors.invalidRedirect)
  const name = nameOf(client_name) ?? ''
  const text = JSON.stringify([name, redirectUris])
  if (Buffer.byteLength(text) > MOST_BYTES) throw new AppError(oauthErrors.invalidClientMetadata)
  const said = Buffer.from(text).toString('base64url')
  return {
    client_id: `${PREFIX}${said}.${sealOf(ctx.keyring.current('refresh').key, said)}`,
    client_id_issued_at: Math.floor(ctx.clock.now() / 1000),
    client_name: name,
    redirect_uris: redirectUris,
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  }
}

export function isRegistrationId(clientId: string): boolean {
  return clientId.startsWith(PREFIX)
}

/** What the id says, if it is one that we gave. */
export function openRegistration(
  { keyring }: Pick<Ctx, 'keyring'>,
  clientId: string,
): Registration | undefined {
  const [said = '', seal = '', ...more] = clientId.slice(PREFIX.length).split('.')
  const keys = keyring.all().filter(({ purpose }) => purpose === 'refresh')
  if (more.length > 0 || !keys.some(({ key }) => isEqual(sealOf(key, said), seal))) return undefined
  const [name, redirectUris] = JSON.parse(Buffer.from(said, 'base64url').toString())
  return { name, redirectUris }
}

/** Set apart by its words from the successors that the same keys make of refresh tokens. */
function sealOf(key: Uint8Array, said: string): string {
  return hmacToken(key, `oauth client: ${said}`)
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
