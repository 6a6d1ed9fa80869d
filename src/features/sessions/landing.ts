import type { Ctx } from '../../context.ts'
import type { UserRow } from '../../db/tables.ts'
import type { Actor } from '../../policy/actor.ts'
import { type BrowserToken, openBrowserSession } from './open-session.ts'
import type { Proof } from './sign-in.ts'
import { openStep, type PendingSignIn } from './steps.ts'

/** Where a browser goes after a sign-in, and with which cookie. */
export interface Landing {
  /** Absent if the sign-in was for an app: the app gets a code instead. */
  readonly cookie: BrowserToken | undefined
  /** A path on this server, or the redirect address of an app. */
  readonly location: string
}

/** Finishes a sign-in in a browser: with a session of its own, or with a code for the app that asked. */
export async function land(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config' | 'bus'>,
  actor: Actor,
  user: UserRow,
  proof: Proof,
  { returnTo, app }: Pick<PendingSignIn, 'returnTo' | 'app'>,
): Promise<Landing> {
  if (!app) {
    const cookie = await openBrowserSession(ctx, actor, user, proof)
    return { cookie, location: withPrefix(ctx.config.pathPrefix, returnTo ?? '/auth/account') }
  }
  if (proof.use) await ctx.db.transaction(async (tx) => proof.use?.(tx))
  const { methods, authenticatedAt, secondFactorAt, sso } = proof
  const pending = { methods, authenticatedAt, secondFactorAt, sso, app }
  const { token } = await openStep(ctx, 'app-code', user, pending)
  const location = new URL(app.redirect)
  location.searchParams.set('code', token)
  if (app.state !== undefined) location.searchParams.set('state', app.state)
  return { cookie: undefined, location: location.href }
}

/** Adds the public path prefix to a path, unless it is there already. */
function withPrefix(prefix: string, path: string): string {
  return `${path}/`.startsWith(`${prefix}/`) ? path : `${prefix}${path}`
}
