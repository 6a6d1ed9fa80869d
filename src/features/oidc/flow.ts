import type { OidcProvider } from '../../config/oidc.ts'
import type { Ctx } from '../../context.ts'
import { SECOND, toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { open, seal } from '../../platform/secret-box.ts'
import { randomToken, sha256Hex } from '../../platform/tokens.ts'
import type { AppTarget } from '../sessions/service.ts'
import { oidcErrors } from './errors.ts'
import { insertFlow, useFlow } from './store.ts'

/** The state of a sign-in stored while the user is at the provider. */
export interface KeptFlow {
  readonly nonce: string
  readonly codeVerifier: string
  readonly fresh: boolean
  readonly returnTo?: string | undefined
  readonly invitation?: string | undefined
  readonly app?: AppTarget | undefined
  /** The session in which to link the identity, instead of signing in. */
  readonly link?: { readonly userId: string; readonly sessionId: string } | undefined
}

export type FlowPurpose = Omit<KeptFlow, 'nonce' | 'codeVerifier'>

type Needs = Pick<Ctx, 'db' | 'clock' | 'keyring' | 'config' | 'oidc'>

export function callbackUri(config: Ctx['config']): string {
  return `${config.publicUrl}/auth/callback`
}

export function requireProvider(config: Ctx['config'], name: string): OidcProvider {
  const provider = config.oidc.providers.find((one) => one.name === name)
  if (!provider) throw new AppError(commonErrors.notFound)
  return provider
}

/**
 * Begins a sign-in and returns the URL for the browser. Nonce and verifier are new; the state can be used
 * once, and only by this browser. With `keep` false (a HEAD request) it is not stored and cannot be resumed.
 */
export async function beginFlow(
  ctx: Needs,
  provider: OidcProvider,
  browser: string,
  purpose: FlowPurpose,
  keep = true,
): Promise<URL> {
  const state = randomToken(32)
  const stateHash = sha256Hex(state)
  const kept: KeptFlow = { ...purpose, nonce: randomToken(32), codeVerifier: randomToken(48) }
  const { nonce, codeVerifier, fresh } = kept
  const redirectUri = callbackUri(ctx.config)
  const url = await ctx.oidc
    .authorizationUrl(provider, { redirectUri, state, nonce, codeVerifier, fresh })
    .catch((cause: unknown) => {
      throw new AppError(oidcErrors.idpUnavailable, {}, { cause })
    })
  if (!keep) return url
  const now = ctx.clock.now()
  const sealed = seal(ctx.keyring.current('message'), JSON.stringify(kept), `flow:${stateHash}`)
  await ctx.db.transaction((tx) =>
    insertFlow(tx, {
      state_hash: stateHash,
      tenant_id: ctx.config.tenantId,
      browser_hash: sha256Hex(browser),
      provider: provider.name,
      key_id: sealed.keyId,
      sealed: sealed.bytes,
      created_at: toIso(now),
      expires_at: toIso(now + ctx.config.oidc.flowSeconds * SECOND),
      used_at: null,
    }),
  )
  return url
}

/** The flow of a callback. It is consumed before the provider is asked, so that no code is tried twice. */
export async function resumeFlow(
  ctx: Needs,
  state: string | null,
  browser: string | undefined,
): Promise<{ provider: OidcProvider; flow: KeptFlow & { state: string } }> {
  if (!state || !browser) throw new AppError(oidcErrors.invalidRequest)
  const stateHash = sha256Hex(state)
  const row = await ctx.db.transaction((tx) =>
    useFlow(tx, stateHash, sha256Hex(browser), toIso(ctx.clock.now())),
  )
  const key = row && ctx.keyring.find('message', row.key_id)
  const provider = ctx.config.oidc.providers.find((one) => one.name === row?.provider)
  if (!row || !key || !provider) throw new AppError(oidcErrors.invalidRequest)
  const flow = JSON.parse(open(key, row.sealed, `flow:${stateHash}`)) as KeptFlow
  return { provider, flow: { ...flow, state } }
}
