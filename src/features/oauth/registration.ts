import { timingSafeEqual } from 'node:crypto'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../platform/errors.ts'
import { hmacToken } from '../../platform/tokens.ts'
import { nameOf } from './client-name.ts'
import { oauthErrors } from './errors.ts'
import { isUsableRedirect } from './redirect-uri.ts'
import { ClientMetadata } from './schema.ts'

const PREFIX = 'dyn.'
/** So that the id still fits in a URL that is a parameter of another URL. */
const MAX_BYTES = 1000

/** What a registered client's id encodes. */
export interface Registration {
  readonly name: string
  readonly redirectUris: readonly string[]
}

/**
 * Registers a client (RFC 7591) without storing anything: its id is the metadata it sent, with our MAC. So
 * anyone may register and nothing fills up; a client whose id no current key verifies registers again.
 */
export function registerClient(ctx: Pick<Ctx, 'keyring' | 'clock'>, body: unknown) {
  const parsed = ClientMetadata.safeParse(body)
  if (!parsed.success) throw new AppError(oauthErrors.invalidClientMetadata)
  const { client_name, redirect_uris: redirectUris } = parsed.data
  if (!redirectUris.every(isUsableRedirect)) throw new AppError(oauthErrors.invalidRedirect)
  const name = nameOf(client_name) ?? ''
  const text = JSON.stringify([name, redirectUris])
  if (Buffer.byteLength(text) > MAX_BYTES) throw new AppError(oauthErrors.invalidClientMetadata)
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

/** What the id encodes, if this server issued it. */
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

/** The prefix separates it from the refresh token successors that the same keys derive. */
function sealOf(key: Uint8Array, said: string): string {
  return hmacToken(key, `oauth client: ${said}`)
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
