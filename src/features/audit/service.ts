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

/** Writes the audit record in the transaction of the action: neither can exist without the other. */
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

/** The credential, unless it was an access token, so that the use of each kind can be monitored. */
function shownBy(actor: Actor): Record<string, string> {
  if (actor.kind !== 'user') return {}
  const { credential, keyId } = actor
  if (credential === undefined || credential === 'access-token') return {}
  return { credential, ...(keyId === undefined ? {} : { keyId }) }
}

/** Stores the note separately; the event holds its hash, which verifies the note while it exists. */
async function keepNote(
  tx: Tx,
  actor: Actor,
  eventId: string,
  { note, target }: AuditEntry,
): Promise<{ noteHash?: string }> {
  if (!note) return {}
  // Without the salt, which is deleted with the note, its text cannot be found by guessing.
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

/** Refusals of one caller recorded per minute; further ones are only counted. */
const RECORDED_A_MINUTE = 30
/** Most callers whose further refusals are counted at a time: many addresses must not fill the memory. */
const MAX_LEFT_OUT = 10_000

export type RecordRefusal = (actor: Actor, error: AppError) => Promise<void>

/**
 * Records refusals with the true reason, which the response may withhold. A caller who is refused again and
 * again must not fill the disk: the next recorded refusal says how many were left out.
 */
export function createRefusalRecorder(
  ctx: Needs & Pick<Ctx, 'db' | 'config' | 'log' | 'metrics'>,
): RecordRefusal {
  const limiter = new RateLimiterMemory({ points: RECORDED_A_MINUTE, duration: 60 })
  const leftOut = new BoundedCounts(MAX_LEFT_OUT)
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
      // The refusal stands either way; only in strict mode does the caller learn that the log failed.
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
