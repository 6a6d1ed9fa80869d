import type { Ctx } from '../../context.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { nodeErrors } from './errors.ts'
import { queryNodes } from './query.ts'
import { requireNodes } from './read.ts'
import type { Filters, Node, Properties } from './schema.ts'
import {
  type ListFields,
  TODO_LIST,
  type Todo,
  type TodoList,
  type TodoStats,
} from './schema-todos.ts'
import { deleteEdges as deleteEdgeRows, findEdge } from './store-edges.ts'
import { CONTAINS, putInList, requireOfType, todosOfList, toList } from './todo-nodes.ts'
import { addNodes, deleteByKey, deleteNodes, mergeInto, targetOf, type Writing } from './write.ts'

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
  return toList(node as Node)
}

/** A list with its TODOs and their progress. */
export async function getList(
  ctx: Reading,
  actor: Actor,
  { list_id }: InList,
): Promise<{ list: TodoList; todos: Todo[]; stats: TodoStats }> {
  const { list, todos } = await todosOfList(ctx, requireUser(actor), list_id)
  return { list: toList(list), todos, stats: statsOf(todos) }
}

function statsOf(todos: readonly Todo[]): TodoStats {
  const count = (status: Todo['status']) => todos.filter((todo) => todo.status === status).length
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
    await requireOfType(ctx, tx, me, list_id, TODO_LIST)
    const named = Object.fromEntries(
      Object.entries(fields).filter(([, value]) => value !== undefined),
    ) as Properties
    const [node] = await mergeInto(ctx, tx, me, [
      { id: list_id, properties: { ...properties, ...named } },
    ])
    await recordAudit(ctx, tx, actor, { type: 'node.changed', ...targetOf([list_id]) })
    return toList(node as Node)
  })
}

/** Archives a list; also deletes its completed TODOs if `remove_completed` is set. */
export async function archiveList(
  ctx: Writing,
  actor: Actor,
  { list_id, remove_completed }: InList & { remove_completed: boolean },
): Promise<{ list: TodoList; removed: number }> {
  const me = requireUser(actor)
  const { todos, keys } = await todosOfList(ctx, me, list_id)
  const done = remove_completed ? todos.filter(({ status }) => status === 'completed') : []
  return ctx.db.transaction(async (tx) => {
    const properties = { archived: true, archived_at: toIso(ctx.clock.now()) }
    const [node] = await mergeInto(ctx, tx, me, [{ id: list_id, properties }])
    const gone = done.flatMap(({ id }) => keys.get(id) ?? [])
    await deleteByKey(tx, me.userId, gone)
    await recordAudit(ctx, tx, actor, {
      type: 'node.changed',
      ...targetOf([list_id]),
      details: { removed: gone.length },
    })
    return { list: toList(node as Node), removed: gone.length }
  })
}

/** Deletes the list; its TODOs stay. */
export async function deleteList(ctx: Writing, actor: Actor, { list_id }: InList): Promise<void> {
  await requireOfType(ctx, ctx.db.read, requireUser(actor), list_id, TODO_LIST)
  await deleteNodes(ctx, actor, [{ id: list_id }])
}

const LIST_LIMIT = 200

/** The caller's lists, newest first; archived ones only if the filters ask for them. */
export async function getLists(
  ctx: Reading,
  actor: Actor,
  { filters = {} }: { filters?: Filters | undefined },
): Promise<TodoList[]> {
  const { nodes } = await queryNodes(ctx, actor, {
    type: TODO_LIST,
    filters: { archived: false, ...filters },
    sort: 'created',
    order: 'desc',
    limit: LIST_LIMIT,
  })
  return nodes.map(toList)
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
    const [list, todo] = await requireNodes(tx, me, [list_id, todo_id])
    const ends = { source_key: list?.key ?? 0, target_key: todo?.key ?? 0, type: CONTAINS }
    const edge = await findEdge(tx, ends)
    if (!edge) throw new AppError(nodeErrors.edgeNotFound)
    await deleteEdgeRows(tx, me.userId, [edge.id])
    await recordAudit(ctx, tx, actor, { type: 'node.unlinked', ...targetOf([todo_id]) })
    return { removed: true }
  })
}

export async function getStats(
  ctx: Reading,
  actor: Actor,
  { list_id }: InList,
): Promise<TodoStats> {
  const { todos } = await todosOfList(ctx, requireUser(actor), list_id)
  return statsOf(todos)
}
