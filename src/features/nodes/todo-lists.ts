import type { Ctx } from '../../context.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { nodeErrors } from './errors.ts'
import { queryNodes } from './query.ts'
import { requireNode, toNode } from './read.ts'
import type { Listing } from './schema.ts'
import {
  type ListFields,
  TODO,
  TODO_LIST,
  type Todo,
  type TodoFields,
  type TodoList,
  type TodoStats,
} from './schema-todos.ts'
import { deleteEdges as deleteEdgeRows, findEdge } from './store-edges.ts'
import { CONTAINS, findListRows, putInList, toList, toTodo } from './todo-nodes.ts'
import { openList } from './todos.ts'
import { release } from './usage.ts'
import { requireVault } from './vault.ts'
import {
  addNodes,
  deleteLocked,
  deleteNodes,
  lockNodes,
  mergeInto,
  requireRow,
  targetOf,
  type Writing,
} from './write.ts'

type Reading = Pick<Ctx, 'db' | 'keyring'>
type InList = { list_id: string }

export async function createList(
  ctx: Writing,
  actor: Actor,
  { properties = {}, title, description, priority = 'medium' }: ListFields & { title: string },
): Promise<TodoList> {
  const [node] = await addNodes(ctx, actor, [
    {
      type: TODO_LIST,
      properties: {
        ...properties,
        ...(description === undefined ? {} : { description }),
        ...{ title, priority, archived: false },
      },
    },
  ])
  return toList(node)
}

/** A list with its TODOs and their progress. */
export async function getList(
  ctx: Reading,
  actor: Actor,
  { list_id }: InList,
): Promise<{ list: TodoList; todos: Todo[]; stats: TodoStats }> {
  const { list, todos } = await openList(ctx, requireUser(actor), list_id)
  const shown = todos.map(toTodo)
  return { list: toList(list), todos: shown, stats: statsOf(shown) }
}

function statsOf(todos: readonly Todo[]): TodoStats {
  const count = (status: NonNullable<TodoFields['status']>) =>
    todos.filter((todo) => todo.status === status).length
  const [total, completed] = [todos.length, count('completed')]
  return {
    total,
    completed,
    in_progress: count('in_progress'),
    pending: count('pending'),
    completion_percentage: total === 0 ? 0 : Math.round((completed / total) * 100),
  }
}

export async function updateList(
  ctx: Writing,
  actor: Actor,
  { list_id, properties = {}, ...fields }: InList & ListFields,
): Promise<TodoList> {
  const me = requireUser(actor)
  return ctx.db.transaction(async (tx) => {
    await requireNode(tx, me, list_id, TODO_LIST)
    const named = Object.fromEntries(
      Object.entries(fields).filter(([, value]) => value !== undefined),
    )
    const [node] = await mergeInto(ctx, tx, me, [
      { id: list_id, properties: { ...properties, ...named } },
    ])
    await recordAudit(ctx, tx, actor, { type: 'node.changed', ...targetOf([list_id]) })
    return toList(node)
  })
}

/**
 * Archives a list; also deletes its completed TODOs if `remove_completed` is set. An archived list keeps the
 * time of its archiving.
 */
export async function archiveList(
  ctx: Writing,
  actor: Actor,
  { list_id, remove_completed }: InList & { remove_completed: boolean },
): Promise<{ list: TodoList; removed: number }> {
  const me = requireUser(actor)
  return ctx.db.transaction(async (tx) => {
    await requireNode(tx, me, list_id, TODO_LIST)
    const { todos } = remove_completed ? await findListRows(tx, me, list_id) : { todos: [] }
    // Locked before they are read, since one may be taken up again at this moment; and all of them before the
    // quota is counted, as everywhere, so that two transactions do not wait for each other.
    const locked = await lockNodes(tx, me, [list_id, ...todos.map(({ id }) => id)])
    const vault = await requireVault(ctx, tx, me)
    const { properties: before } = toNode(vault, requireRow(locked, list_id))
    const completed = [...locked.values()].filter(
      (row) => row.type === TODO && toNode(vault, row).properties.status === 'completed',
    )
    await deleteLocked(
      tx,
      completed.map(({ key }) => key),
    )
    const since = before.archived === true ? before.archived_at : undefined
    const properties = { archived: true, archived_at: since ?? toIso(ctx.clock.now()) }
    const [node] = await mergeInto(ctx, tx, me, [{ id: list_id, properties }])
    const removed = completed.length
    await recordAudit(ctx, tx, actor, {
      type: 'node.changed',
      ...targetOf([list_id]),
      details: { removed },
    })
    return { list: toList(node), removed }
  })
}

/** Deletes the list; its TODOs stay. */
export async function deleteList(ctx: Writing, actor: Actor, { list_id }: InList): Promise<void> {
  await requireNode(ctx.db.read, requireUser(actor), list_id, TODO_LIST)
  await deleteNodes(ctx, actor, [list_id])
}

/** The caller's lists, newest first; archived ones only if the filters ask for them. */
export async function getLists(
  ctx: Reading,
  actor: Actor,
  { filters, ...page }: Listing,
): Promise<{ lists: TodoList[]; nextCursor: string | null }> {
  const { nodes, nextCursor } = await queryNodes(ctx, actor, {
    ...page,
    type: TODO_LIST,
    filters: { archived: { not: true }, ...filters },
    sort: 'created',
    order: 'desc',
  })
  return { lists: nodes.map(toList), nextCursor }
}

export async function addToList(
  ctx: Writing,
  actor: Actor,
  { list_id, todo_id }: InList & { todo_id: string },
): Promise<{ edge_id: string }> {
  const me = requireUser(actor)
  return ctx.db.transaction(async (tx) => {
    const edge_id = await putInList(ctx, tx, me, list_id, todo_id)
    await recordAudit(ctx, tx, actor, { type: 'node.linked', ...targetOf([todo_id]) })
    return { edge_id }
  })
}

/** Removes a TODO from a list; the TODO itself stays. */
export async function removeFromList(
  ctx: Writing,
  actor: Actor,
  { list_id, todo_id }: InList & { todo_id: string },
): Promise<{ removed: true }> {
  const me = requireUser(actor)
  return ctx.db.transaction(async (tx) => {
    const { key: source_key } = await requireNode(tx, me, list_id)
    const { key: target_key } = await requireNode(tx, me, todo_id)
    const edge = await findEdge(tx, { source_key, target_key, type: CONTAINS })
    if (!edge) throw new AppError(nodeErrors.edgeNotFound)
    await release(tx, { edges: await deleteEdgeRows(tx, me.userId, [edge.id]) })
    await recordAudit(ctx, tx, actor, { type: 'node.unlinked', ...targetOf([todo_id]) })
    return { removed: true }
  })
}

export async function getStats(
  ctx: Reading,
  actor: Actor,
  { list_id }: InList,
): Promise<TodoStats> {
  const { stats } = await getList(ctx, actor, { list_id })
  return stats
}
