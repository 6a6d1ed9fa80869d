import type { Ctx } from '../../context.ts'
import type { Db, Tx } from '../../db/database.ts'
import type { NodeRow } from '../../db/tables.ts'
import type { UserActor } from '../../policy/actor.ts'
import { insertNewEdges } from './edges.ts'
import { requireNode } from './read.ts'
import type { Node, Properties } from './schema.ts'
import { TODO, TODO_LIST, type Todo, type TodoList } from './schema-todos.ts'
import { findNodesByKey } from './store.ts'
import { listEdges } from './store-edges.ts'

export const CONTAINS = 'contains'

/** Most TODOs returned for one list. */
const MAX_TODOS = 5_000

/** A node of type `todo` in the form that clients expect. */
export function toTodo({ id, properties, created, updated }: Node): Todo {
  return {
    ...properties,
    ...{ title: '', status: 'pending', priority: 'medium' },
    ...textsOf(properties, ['title', 'description', 'status', 'priority', 'completed_at']),
    ...{ id, created, updated },
  }
}

/** A node of type `todoList` in the form that clients expect. */
export function toList({ id, properties, created, updated }: Node): TodoList {
  return {
    ...properties,
    ...{ title: '', priority: 'medium', archived: properties.archived === true },
    ...textsOf(properties, ['title', 'description', 'priority']),
    ...{ id, created, updated },
  }
}

/** Those of the properties that exist, as texts: other tools may have stored anything under these names. */
function textsOf<N extends string>(properties: Properties, names: readonly N[]) {
  const texts: { [name in N]?: string } = {}
  for (const name of names) {
    const value = properties[name]
    if (value === undefined) continue
    texts[name] = typeof value === 'string' ? value : JSON.stringify(value)
  }
  return texts
}

/** Adds a TODO to a list, in the caller's transaction; returns the edge's id. */
export async function putInList(
  ctx: Pick<Ctx, 'clock' | 'ids' | 'keyring' | 'config'>,
  tx: Tx,
  me: UserActor,
  listId: string,
  todoId: string,
): Promise<string> {
  await requireNode(tx, me, listId, TODO_LIST)
  await requireNode(tx, me, todoId, TODO)
  const [edge] = await insertNewEdges(ctx, tx, me, [
    { source: listId, target: todoId, type: CONTAINS, properties: {} },
  ])
  return edge?.id ?? ''
}

/** The rows of a list and of its TODOs in the order they were added; throws `node_not_found`. */
export async function findListRows(
  db: Db,
  me: UserActor,
  listId: string,
): Promise<{ list: NodeRow; todos: NodeRow[] }> {
  const list = await requireNode(db, me, listId, TODO_LIST)
  const edges = await listEdges(db, {
    keys: [list.key],
    direction: 'out',
    type: CONTAINS,
    limit: MAX_TODOS,
  })
  const order = edges.map(({ target_key }) => target_key)
  const rows = new Map((await findNodesByKey(db, order)).map((row) => [row.key, row]))
  const todos = order.flatMap((key) => rows.get(key) ?? []).filter(({ type }) => type === TODO)
  return { list, todos }
}
