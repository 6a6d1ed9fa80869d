import type { Ctx } from '../../context.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { requireNodes, toNode } from './read.ts'
import type { Node } from './schema.ts'
import { countEdgesOf } from './store-edges.ts'
import { requireVault } from './vault.ts'

const SHOWN = 10

export interface Preview {
  readonly count: number
  /** The first of them. */
  readonly nodes: readonly Node[]
  readonly cascadeDeletedEdges: number
}

/** What a deletion would delete; throws `node_not_found` as the deletion would. */
export async function previewDeletion(
  ctx: Pick<Ctx, 'db' | 'keyring'>,
  actor: Actor,
  ids: readonly string[],
): Promise<Preview> {
  const me = requireUser(actor)
  const rows = await requireNodes(ctx.db.read, me, [...new Set(ids)])
  const vault = await requireVault(ctx, ctx.db.read, me)
  return {
    count: rows.length,
    nodes: rows.slice(0, SHOWN).map((row) => toNode(vault, row)),
    cascadeDeletedEdges: await countEdgesOf(
      ctx.db.read,
      rows.map(({ key }) => key),
    ),
  }
}
