import type { Ctx } from '../../context.ts'
import type { ConsentRow } from '../../db/tables.ts'
import { disconnectAfterCommit } from '../../events/append.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, type ErrorDefinition } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { privacyErrors } from './errors.ts'
import type { Consent, ConsentId, Consents, GiveConsent } from './schema.ts'
import { findConsent, hasConsent, insertConsent, listConsents, withdraw } from './store-consents.ts'

/** The purpose of the required consent. */
const TERMS = 'terms'

export async function getConsents(
  ctx: Pick<Ctx, 'db' | 'config'>,
  actor: Actor,
): Promise<Consents> {
  const rows = await listConsents(ctx.db.read, requireUser(actor).userId)
  const { consent } = ctx.config
  return {
    required: consent ? { ...consent, purpose: TERMS, url: consent.url ?? null } : null,
    consents: rows.map(toConsent),
  }
}

export async function giveConsent(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids'>,
  actor: Actor,
  input: GiveConsent,
): Promise<Consent> {
  const me = requireUser(actor)
  const row: ConsentRow = {
    id: ctx.ids.next(),
    tenant_id: me.tenantId,
    user_id: me.userId,
    purpose: input.purpose,
    version: input.version,
    source: actor.origin.operation,
    given_at: toIso(ctx.clock.now()),
    withdrawn_at: null,
  }
  await ctx.db.transaction(async (tx) => {
    await insertConsent(tx, row)
    await recordAudit(ctx, tx, actor, {
      type: 'consent.given',
      target: { type: 'consent', id: row.id },
      details: { purpose: row.purpose, version: row.version },
    })
  })
  return toConsent(row)
}

/** The record stays, with the time of its withdrawal. Withdrawing the required consent ends connections. */
export async function withdrawConsent(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'config' | 'bus'>,
  actor: Actor,
  input: ConsentId,
): Promise<void> {
  const { userId } = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    const row = await findConsent(tx, userId, input.id)
    const withdrawn = row && (await withdraw(tx, row, toIso(ctx.clock.now())))
    if (!withdrawn) throw new AppError(privacyErrors.noConsent)
    if (ctx.config.consent && row.purpose === TERMS) {
      disconnectAfterCommit(ctx, tx, { userId, reason: 'consent_withdrawn' })
    }
    await recordAudit(ctx, tx, actor, {
      type: 'consent.withdrawn',
      target: { type: 'consent', id: row.id },
      details: { purpose: row.purpose, version: row.version },
    })
  })
}

/** Paths for signing in and out and for privacy rights: open without consent. */
const EXEMPT = /^\/(api\/auth|api\/privacy|api\/app|health|auth)(\/|$)/

/** The errors with which a signed-in user may be refused on this path. */
export function consentErrors(path: string): readonly ErrorDefinition[] {
  return EXEMPT.test(path) ? [] : [privacyErrors.consentRequired]
}

/** Refuses users who have not agreed to the configured version of the terms. */
export async function checkConsent(
  ctx: Pick<Ctx, 'db' | 'config'>,
  actor: Actor,
  path: string,
): Promise<void> {
  const { consent } = ctx.config
  // A service does not agree to anything: its creator did.
  if (!consent || actor.kind !== 'user' || actor.role === 'service' || EXEMPT.test(path)) return
  if (await hasConsent(ctx.db.read, actor.userId, TERMS, consent.version)) return
  throw new AppError(privacyErrors.consentRequired, {
    purpose: TERMS,
    version: consent.version,
    url: consent.url ?? null,
  })
}

function toConsent(row: ConsentRow): Consent {
  return {
    id: row.id,
    purpose: row.purpose,
    version: row.version,
    source: row.source,
    givenAt: row.given_at,
    withdrawnAt: row.withdrawn_at,
  }
}
