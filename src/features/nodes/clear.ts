import type { Ctx } from '../../context.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { countByType, listKeys, lockNodeRowsByKey } from './store.ts'
import { deleteLocked, type Writing } from './write.ts'

/** Most nodes that one transaction deletes, so that other writers do not wait long. */
const NODES_A_STEP = 500

/** How many nodes of a type, or of every type, the caller has: what `clearNodes` would delete. */
export async function countNodes(
  ctx: Pick<Ctx, 'db'>,
  actor: Actor,
  type: string | undefined,
): Promise<number> {
  const counts = await countByType(ctx.db.read, requireUser(actor).userId)
  return counts
    .filter((one) => type === undefined || one.type === type)
    .reduce((sum, { count }) => sum + count, 0)
}

/**
 * Deletes the caller's nodes of a type, or all, in steps: if interrupted, the remaining nodes are intact and
 * the call can be repeated.
 */
export async function clearNodes(
  ctx: Writing,
  actor: Actor,
  type: string | undefined,
): Promise<{ deletedNodes: number; deletedEdges: number }> {
  const { userId } = requireUser(actor)
  let deletedNodes = 0
  let deletedEdges = 0
  for (;;) {
    const step = await ctx.db.transaction(async (tx) => {
      const keys = await listKeys(tx, userId, type, NODES_A_STEP)
      const locked = await lockNodeRowsByKey(tx, keys)
      const edges = await deleteLocked(tx, locked)
      const isLast = keys.length < NODES_A_STEP
      if (isLast) {
        await recordAudit(ctx, tx, actor, {
          type: 'node.cleared',
          details: { type: type ?? 'ALL', count: deletedNodes + locked.length },
        })
      }
      return { nodes: locked.length, edges, isLast }
    })
    deletedNodes += step.nodes
    deletedEdges += step.edges
    if (step.isLast) return { deletedNodes, deletedEdges }
  }
}
