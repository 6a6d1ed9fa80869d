import type { Ctx } from '../../context.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { nodeErrors } from './errors.ts'
import { queryNodes } from './query.ts'
import { requireNode } from './read.ts'
import type { Listing, Node } from './schema.ts'
import { findNodes } from './store.ts'
import { deleteLock, deleteOutdatedLocks, findLock, listLocked, putLock } from './store-edges.ts'
import { lockNodes, requireRow, type Writing } from './write.ts'

export interface Lock {
  readonly node_id: string
  readonly agent_id: string
}

/**
 * Locks a node for an agent. The agent that holds the lock may acquire it again, which extends it; an expired
 * lock is free. Throws `node_locked`.
 */
export async function acquireLock(
  ctx: Writing,
  actor: Actor,
  { node_id, agent_id, timeout_ms }: Lock & { timeout_ms: number },
): Promise<{ expires: string }> {
  const me = requireUser(actor)
  const now = ctx.clock.now()
  const expires = toIso(now + timeout_ms)
  await ctx.db.transaction(async (tx) => {
    const { key } = requireRow(await lockNodes(tx, me, [node_id]), node_id)
    const lock = await findLock(tx, key)
    if (lock && lock.agent_id !== agent_id && lock.expires_at > toIso(now)) {
      throw new AppError(nodeErrors.locked, { expires: lock.expires_at })
    }
    await putLock(tx, {
      node_key: key,
      tenant_id: me.tenantId,
      owner_id: me.userId,
      agent_id,
      locked_at: toIso(now),
      expires_at: expires,
    })
    await recordAudit(ctx, tx, actor, {
      type: 'node.locked',
      target: { type: 'node', id: node_id },
    })
  })
  return { expires }
}

/** Releases a node; throws `node_not_locked` if the agent does not hold its lock. */
export async function releaseLock(
  ctx: Writing,
  actor: Actor,
  { node_id, agent_id }: Lock,
): Promise<void> {
  const me = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    const { key } = await requireNode(tx, me, node_id)
    if (!(await deleteLock(tx, key, agent_id))) {
      throw new AppError(nodeErrors.notLocked)
    }
    await recordAudit(ctx, tx, actor, {
      type: 'node.unlocked',
      target: { type: 'node', id: node_id },
    })
  })
}

/** The caller's nodes that no agent holds a lock on, newest first. A page may be short. */
export async function getAvailable(
  ctx: Pick<Ctx, 'db' | 'keyring' | 'clock'>,
  actor: Actor,
  input: { type?: string | undefined } & Listing,
): Promise<{ nodes: Node[]; nextCursor: string | null }> {
  const me = requireUser(actor)
  const { nodes, nextCursor } = await queryNodes(ctx, actor, {
    ...input,
    sort: 'created',
    order: 'desc',
  })
  if (nodes.length === 0) return { nodes, nextCursor }
  const rows = await findNodes(
    ctx.db.read,
    me.userId,
    nodes.map(({ id }) => id),
  )
  const keys = rows.map(({ key }) => key)
  const locked = new Set(await listLocked(ctx.db.read, keys, toIso(ctx.clock.now())))
  const taken = new Set(rows.filter(({ key }) => locked.has(key)).map(({ id }) => id))
  return { nodes: nodes.filter(({ id }) => !taken.has(id)), nextCursor }
}

/** Deletes the caller's expired locks; returns how many. */
export async function cleanUpLocks(ctx: Writing, actor: Actor): Promise<number> {
  const me = requireUser(actor)
  return ctx.db.transaction(async (tx) => {
    const cleaned = await deleteOutdatedLocks(tx, me.userId, toIso(ctx.clock.now()))
    await recordAudit(ctx, tx, actor, { type: 'node.locks_cleaned', details: { count: cleaned } })
    return cleaned
  })
}
