import type { Ctx } from '../../context.ts'
import type { Db, Tx } from '../../db/database.ts'
import type { NodeRow } from '../../db/tables.ts'
import { AppError } from '../../platform/errors.ts'
import type { UserActor } from '../../policy/actor.ts'
import { insertNewEdges } from './edges.ts'
import { nodeErrors } from './errors.ts'
import { requireNodes, toNode } from './read.ts'
import type { Node } from './schema.ts'
import { TODO, TODO_LIST, type Todo, type TodoList } from './schema-todos.ts'
import { findNodesByKey } from './store.ts'
import { listEdges } from './store-edges.ts'
import { findVault, type Vault } from './vault.ts'
import type { Writing } from './write.ts'

export const CONTAINS = 'contains'

/** Most TODOs returned for one list. */
const MAX_TODOS = 5_000

/** A node of type `todo` in the form that clients expect. */
export function toTodo({ id, properties, created, updated }: Node): Todo {
  return {
    title: '',
    status: 'pending',
    priority: 'medium',
    ...properties,
    id,
    created,
    updated,
  } as Todo
}

/** A node of type `todoList` in the form that clients expect. */
export function toList({ id, properties, created, updated }: Node): TodoList {
  return {
    title: '',
    priority: 'medium',
    archived: false,
    ...properties,
    id,
    created,
    updated,
  } as TodoList
}

/** Also throws `node_not_found` for a node of another type. */
export async function requireOfType(
  ctx: Pick<Ctx, 'keyring'>,
  db: Db,
  me: UserActor,
  id: string,
  type: string,
): Promise<Node> {
  const [row] = await requireNodes(db, me, [id])
  if (row?.type !== type) throw new AppError(nodeErrors.nodeNotFound, { id })
  const vault = (await findVault(ctx, db, me)) as Vault
  return toNode(vault, row)
}

/** Adds a TODO to a list, in the caller's transaction; returns the edge's id. */
export async function putInList(
  ctx: Writing,
  tx: Tx,
  me: UserActor,
  listId: string,
  todoId: string,
): Promise<string> {
  await requireOfType(ctx, tx, me, listId, TODO_LIST)
  await requireOfType(ctx, tx, me, todoId, TODO)
  const [edge] = await insertNewEdges(ctx, tx, me, [
    { source: listId, target: todoId, type: CONTAINS, properties: {} },
  ])
  return edge?.id ?? ''
}

/** The TODOs of a list in the order they were added. */
export async function todosOfList(
  ctx: Pick<Ctx, 'db' | 'keyring'>,
  me: UserActor,
  listId: string,
): Promise<{ list: Node; todos: Todo[]; keys: ReadonlyMap<string, number> }> {
  const list = await requireOfType(ctx, ctx.db.read, me, listId, TODO_LIST)
  const [row] = await requireNodes(ctx.db.read, me, [listId])
  const edges = await listEdges(ctx.db.read, {
    keys: [(row as NodeRow).key],
    direction: 'out',
    type: CONTAINS,
    limit: MAX_TODOS,
  })
  const order = edges.map(({ target_key }) => target_key)
  const rows = new Map(
    (await findNodesByKey(ctx.db.read, order)).map((found) => [found.key, found]),
  )
  const vault = (await findVault(ctx, ctx.db.read, me)) as Vault
  const present = order.flatMap((key) => rows.get(key) ?? []).filter(({ type }) => type === TODO)
  return {
    list,
    todos: present.map((found) => toTodo(toNode(vault, found))),
    keys: new Map(present.map(({ id, key }) => [id, key])),
  }
}
