import type { Ctx } from '../../context.ts'
import type { Db, Tx } from '../../db/database.ts'
import { toIso } from '../../platform/clock.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { fulfils } from './filter.ts'
import { queryNodes } from './query.ts'
import { requireNode, toNode } from './read.ts'
import type { Listing, Node, Properties } from './schema.ts'
import { type CreateTodo, TODO, type Todo, type TodoFields } from './schema-todos.ts'
import { findListRows, putInList, toTodo } from './todo-nodes.ts'
import { requireVault } from './vault.ts'
import {
  deleteNodes,
  insertNewNodes,
  lockNodes,
  mergeInto,
  targetOf,
  type Writing,
} from './write.ts'

type Reading = Pick<Ctx, 'db' | 'keyring'>

/** Creates a TODO, in a list if one is given. */
export async function createTodo(ctx: Writing, actor: Actor, input: CreateTodo): Promise<Todo> {
  const me = requireUser(actor)
  return ctx.db.transaction(async (tx) => {
    // Before the quota is counted, as everywhere, so that two transactions do not wait for each other.
    if (input.list_id) await lockNodes(tx, me, [input.list_id])
    const todo = await insertTodo(ctx, tx, me, input)
    if (input.list_id) await putInList(ctx, tx, me, input.list_id, todo.id)
    await recordAudit(ctx, tx, actor, { type: 'node.created', ...targetOf([todo.id]) })
    return todo
  })
}

async function insertTodo(ctx: Writing, tx: Tx, me: UserActor, input: CreateTodo): Promise<Todo> {
  const { properties = {}, status = 'pending', priority = 'medium', title, description } = input
  const [node] = await insertNewNodes(ctx, tx, me, [
    {
      type: TODO,
      properties: {
        ...properties,
        ...(description === undefined ? {} : { description }),
        ...{ title, status, priority },
        ...completion(status, {}, ctx),
      },
    },
  ])
  return toTodo(node)
}

export async function getTodo(
  ctx: Reading,
  actor: Actor,
  { todo_id }: { todo_id: string },
): Promise<Todo> {
  return toTodo(await requireTodo(ctx, ctx.db.read, requireUser(actor), todo_id))
}

async function requireTodo(
  ctx: Pick<Ctx, 'keyring'>,
  db: Db,
  me: UserActor,
  id: string,
): Promise<Node> {
  const row = await requireNode(db, me, id, TODO)
  return toNode(await requireVault(ctx, db, me), row)
}

/** Changes the given fields; completing an open TODO sets `completed_at`, and any other status removes it. */
export async function updateTodo(
  ctx: Writing,
  actor: Actor,
  { todo_id, properties = {}, ...fields }: { todo_id: string } & TodoFields,
): Promise<Todo> {
  const me = requireUser(actor)
  return ctx.db.transaction(async (tx) => {
    // Locked before it is read: of two completions at once the first one's time stays.
    await lockNodes(tx, me, [todo_id])
    const { properties: before } = await requireTodo(ctx, tx, me, todo_id)
    const named = Object.fromEntries(
      Object.entries(fields).filter(([, value]) => value !== undefined),
    )
    const change = { ...properties, ...named, ...completion(fields.status, before, ctx) }
    const [node] = await mergeInto(ctx, tx, me, [{ id: todo_id, properties: change }])
    await recordAudit(ctx, tx, actor, { type: 'node.changed', ...targetOf([todo_id]) })
    return toTodo(node)
  })
}

function completion(
  status: TodoFields['status'],
  before: Properties,
  { clock }: Pick<Ctx, 'clock'>,
): Properties {
  if (status === undefined) return {}
  if (status !== 'completed') return { completed_at: null }
  const since = before.status === 'completed' ? before.completed_at : undefined
  return { completed_at: since ?? toIso(clock.now()) }
}

export async function deleteTodo(
  ctx: Writing,
  actor: Actor,
  { todo_id }: { todo_id: string },
): Promise<void> {
  await requireNode(ctx.db.read, requireUser(actor), todo_id, TODO)
  await deleteNodes(ctx, actor, [todo_id])
}

/** TODOs that match the filters, newest first; those of one list whole, in the order they were added. */
export async function listTodos(
  ctx: Reading,
  actor: Actor,
  { list_id, ...page }: { list_id?: string | undefined } & Listing,
): Promise<{ todos: Todo[]; nextCursor: string | null }> {
  if (list_id !== undefined) {
    const { todos } = await openList(ctx, requireUser(actor), list_id)
    const matching = todos.filter(({ properties }) => fulfils(properties, page.filters ?? {}))
    return { todos: matching.map(toTodo), nextCursor: null }
  }
  const { nodes, nextCursor } = await queryNodes(ctx, actor, {
    ...page,
    type: TODO,
    sort: 'created',
    order: 'desc',
  })
  return { todos: nodes.map(toTodo), nextCursor }
}

/** A list and its TODOs, decrypted. */
export async function openList(
  ctx: Reading,
  me: UserActor,
  listId: string,
): Promise<{ list: Node; todos: Node[] }> {
  const { list, todos } = await findListRows(ctx.db.read, me, listId)
  const vault = await requireVault(ctx, ctx.db.read, me)
  return { list: toNode(vault, list), todos: todos.map((row) => toNode(vault, row)) }
}
