import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js'
import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { BoundedCounts } from '../../platform/bounded-counts.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { limitKey } from '../../platform/networks.ts'
import { randomToken, sha256Hex } from '../../platform/tokens.ts'
import type { Actor } from '../../policy/actor.ts'
import { admissionErrors } from '../../policy/admission.ts'
import type { AuditEntry } from './schema.ts'
import { insertAuditEvent } from './store.ts'
import { insertNote } from './store-notes.ts'

export { readSinkLags } from './lag.ts'
export { countPrunable, pruneAudit } from './prune.ts'

type Needs = Pick<Ctx, 'clock' | 'ids'>

/** Writes the record of an act into the transaction of the act: one cannot be without the other. */
export async function recordAudit(
  ctx: Needs,
  tx: Tx,
  actor: Actor,
  entry: AuditEntry,
): Promise<void> {
  const { origin } = actor
  const id = ctx.ids.next()
  await insertAuditEvent(tx, {
    id,
    tenant_id: actor.tenantId,
    created_at: toIso(ctx.clock.now()),
    type: entry.type,
    outcome: entry.outcome ?? 'allow',
    actor_kind: actor.kind,
    actor_id: actor.kind === 'user' ? actor.userId : null,
    session_id: (actor.kind === 'user' && actor.sessionId) || null,
    target_type: entry.target?.type ?? null,
    target_id: entry.target?.id ?? null,
    operation: origin.operation,
    ip: origin.ip ?? null,
    user_agent_hash: origin.userAgent ? sha256Hex(origin.userAgent) : null,
    request_id: origin.requestId,
    details: JSON.stringify({
      ...entry.details,
      ...shownBy(actor),
      ...(await keepNote(tx, actor, id, entry)),
    }),
  })
}

/** What the caller showed, where it was no access token: so that the use of each kind can be watched. */
function shownBy(actor: Actor): Record<string, string> {
  if (actor.kind !== 'user' || actor.credential === undefined) return {}
  const { credential, keyId } = actor
  return { credential, ...(keyId === undefined ? {} : { keyId }) }
}

/** Puts the words aside; the event gets their hash, by which they are verified while they are there. */
async function keepNote(
  tx: Tx,
  actor: Actor,
  eventId: string,
  { note, target }: AuditEntry,
): Promise<{ noteHash?: string }> {
  if (!note) return {}
  // Without the salt, which goes with the note, nobody can find out by trying what it said.
  const salt = randomToken(16)
  await insertNote(tx, {
    event_id: eventId,
    tenant_id: actor.tenantId,
    subject_id: target?.id ?? null,
    salt,
    note,
  })
  return { noteHash: sha256Hex(`${salt}:${note}`) }
}

/** Refusals of one caller that are recorded within a minute; further ones are counted only. */
const RECORDED_A_MINUTE = 30
/** Callers whose further refusals are counted at a time: whoever has many addresses must not fill the memory. */
const MOST_LEFT_OUT = 10_000

export type RecordRefusal = (actor: Actor, error: AppError) => Promise<void>

/**
 * Records refusals, with the truth that the answer kept back. Somebody who is refused again and again
 * must not fill the disk with it: the next recorded one says how many were left out.
 */
export function createRefusalRecorder(
  ctx: Needs & Pick<Ctx, 'db' | 'config' | 'log' | 'metrics'>,
): RecordRefusal {
  const limiter = new RateLimiterMemory({ points: RECORDED_A_MINUTE, duration: 60 })
  const leftOut = new BoundedCounts(MOST_LEFT_OUT)
  return async (actor, error) => {
    const caller = actor.kind === 'user' ? actor.userId : limitKey(actor.origin.ip)
    const within = await limiter.consume(caller).then(
      () => true,
      () => false,
    )
    if (!within) return leftOut.add(caller)
    try {
      await recordRefusal(ctx, actor, error, leftOut.take(caller))
    } catch (cause) {
      ctx.metrics.auditLost.add()
      ctx.log.error({ err: cause, code: error.code }, 'a refusal could not be recorded')
      // A refusal refuses all the same; only strict mode wants the caller to hear of the log.
      if (ctx.config.audit.strict) throw new AppError(admissionErrors.audit, {}, { cause })
    }
  }
}

async function recordRefusal(
  ctx: Needs & Pick<Ctx, 'db'>,
  actor: Actor,
  error: AppError,
  omitted: number,
): Promise<void> {
  const { audit } = error
  await ctx.db.transaction((tx) =>
    recordAudit(ctx, tx, actor, {
      type: 'access.denied',
      outcome: 'deny',
      ...(audit?.targetType && audit.targetId
        ? { target: { type: audit.targetType, id: audit.targetId } }
        : {}),
      details: {
        code: error.code,
        reason: audit?.reason ?? error.code,
        ...(omitted > 0 ? { omitted } : {}),
      },
    }),
  )
}
