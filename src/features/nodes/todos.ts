import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { toIso } from '../../platform/clock.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { queryNodes } from './query.ts'
import type { Filters, Node, Properties } from './schema.ts'
import { type CreateTodo, TODO, type Todo, type TodoFields } from './schema-todos.ts'
import { putInList, requireOfType, todosOfList, toTodo } from './todo-nodes.ts'
import { deleteNodes, insertNewNodes, mergeInto, targetOf, type Writing } from './write.ts'

type Reading = Pick<Ctx, 'db' | 'keyring'>

/** Creates a TODO, in a list if one is given. */
export async function createTodo(ctx: Writing, actor: Actor, input: CreateTodo): Promise<Todo> {
  const me = requireUser(actor)
  return ctx.db.transaction(async (tx) => {
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
        ...completion(status, ctx),
      },
    },
  ])
  return toTodo(node as Node)
}

export async function getTodo(
  ctx: Reading,
  actor: Actor,
  { todo_id }: { todo_id: string },
): Promise<Todo> {
  return toTodo(await requireOfType(ctx, ctx.db.read, requireUser(actor), todo_id, TODO))
}

/** Changes the given fields; completing a TODO sets `completed_at`, and any other status removes it. */
export async function updateTodo(
  ctx: Writing,
  actor: Actor,
  { todo_id, properties = {}, ...fields }: { todo_id: string } & TodoFields,
): Promise<Todo> {
  const me = requireUser(actor)
  return ctx.db.transaction(async (tx) => {
    await requireOfType(ctx, tx, me, todo_id, TODO)
    const named = Object.fromEntries(
      Object.entries(fields).filter(([, value]) => value !== undefined),
    ) as Properties
    const change = { ...properties, ...named, ...completion(fields.status, ctx) }
    const [node] = await mergeInto(ctx, tx, me, [{ id: todo_id, properties: change }])
    await recordAudit(ctx, tx, actor, { type: 'node.changed', ...targetOf([todo_id]) })
    return toTodo(node as Node)
  })
}

function completion(status: Todo['status'] | undefined, { clock }: Pick<Ctx, 'clock'>): Properties {
  if (status === undefined) return {}
  return status === 'completed' ? { completed_at: toIso(clock.now()) } : { completed_at: null }
}

export async function deleteTodo(
  ctx: Writing,
  actor: Actor,
  { todo_id }: { todo_id: string },
): Promise<void> {
  await requireOfType(ctx, ctx.db.read, requireUser(actor), todo_id, TODO)
  await deleteNodes(ctx, actor, [{ id: todo_id }])
}

const LIST_LIMIT = 200

/** TODOs that match the filters, newest first; those of one list in the order they were added. */
export async function listTodos(
  ctx: Reading,
  actor: Actor,
  { list_id, filters }: { list_id?: string | undefined; filters?: Filters | undefined },
): Promise<Todo[]> {
  const me = requireUser(actor)
  if (list_id) {
    const { todos } = await todosOfList(ctx, me, list_id)
    return todos.filter((todo) => fulfils(todo, filters ?? {}))
  }
  const { nodes } = await queryNodes(ctx, actor, {
    type: TODO,
    filters,
    sort: 'created',
    order: 'desc',
    limit: LIST_LIMIT,
  })
  return nodes.map(toTodo)
}

/** Equality only: the kind of filter that clients use for TODOs. */
function fulfils(todo: Todo, filters: Filters): boolean {
  return Object.entries(filters).every(([name, value]) =>
    typeof value === 'object' && value !== null
      ? (value.in ?? []).some((one) => one === todo[name])
      : todo[name] === value,
  )
}
