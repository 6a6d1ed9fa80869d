import type { Ctx } from '../../context.ts'
import type { Db } from '../../db/database.ts'
import type { NodeRow } from '../../db/tables.ts'
import { AppError } from '../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { nodeErrors } from './errors.ts'
import type { Node, NodeId } from './schema.ts'
import { countByType, findNodes } from './store.ts'
import { requireVault, type Vault } from './vault.ts'

type Reading = Pick<Ctx, 'db' | 'keyring'>

/** The context that a node's properties are sealed to: in another row they do not decrypt. */
export function contextOf({ owner_id, id }: Pick<NodeRow, 'owner_id' | 'id'>): string {
  return `node:${owner_id}:${id}`
}

/** A stored node as its owner sees it. */
export function toNode(vault: Vault, row: NodeRow): Node {
  return {
    id: row.id,
    type: row.type,
    properties: vault.open(contextOf(row), row.sealed),
    created: row.created_at,
    updated: row.updated_at,
  }
}

/** Rows in the order of the ids; throws `node_not_found` if one does not exist. */
export async function requireNodes(
  db: Db,
  me: UserActor,
  ids: readonly string[],
): Promise<NodeRow[]> {
  const found = new Map((await findNodes(db, me.userId, ids)).map((row) => [row.id, row]))
  return ids.map((id) => {
    const row = found.get(id)
    if (!row) throw new AppError(nodeErrors.nodeNotFound, { id })
    return row
  })
}

/** The row with the id; throws `node_not_found` unless it exists and is of the type, if one is given. */
export async function requireNode(
  db: Db,
  me: UserActor,
  id: string,
  type?: string,
): Promise<NodeRow> {
  const [row] = await findNodes(db, me.userId, [id])
  const isIt = row && (type === undefined || row.type === type)
  if (!isIt) throw new AppError(nodeErrors.nodeNotFound, { id })
  return row
}

/** A node of the caller; the nodes of others are reported as not found. */
export async function getNode(ctx: Reading, actor: Actor, { id }: NodeId): Promise<Node> {
  const me = requireUser(actor)
  const row = await requireNode(ctx.db.read, me, id)
  return toNode(await requireVault(ctx, ctx.db.read, me), row)
}

/** How many nodes of each type the caller has. */
export async function getTypes(
  ctx: Pick<Ctx, 'db'>,
  actor: Actor,
): Promise<{ types: { type: string; count: number }[] }> {
  return { types: await countByType(ctx.db.read, requireUser(actor).userId) }
}
