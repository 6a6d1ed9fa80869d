import { z } from 'zod'
import { defineTool, operation } from '../../../mcp/define-tool.ts'
import type { AppError } from '../../../platform/errors.ts'
import { Filters, NodeName } from '../schema.ts'
import {
  CreateList,
  CreateTodo,
  ListFields,
  Todo,
  TodoFields,
  TodoList,
  TodoStats,
} from '../schema-todos.ts'
import {
  addToList,
  archiveList,
  createList,
  deleteList,
  getList,
  getLists,
  getStats,
  removeFromList,
  updateList,
} from '../todo-lists.ts'
import { createTodo, deleteTodo, getTodo, listTodos, updateTodo } from '../todos.ts'
import { continued, Paged, paging } from './paging.ts'

const TodoId = z.object({ todo_id: NodeName.describe('id of the TODO') })
const ListId = z.object({ list_id: NodeName.describe('id of the list') })

/** The result format that clients of these tools expect. */
const done = (operation: string, answer: object) => ({ status: 'success', operation, ...answer })
const failure = ({ code, message }: AppError) => ({ status: 'error', message, code })

const Outcome = z.looseObject({
  status: z.enum(['success', 'error']),
  operation: z.string().optional(),
  message: z.string().optional(),
  code: z.string().optional(),
  ...Paged,
})

const todo = defineTool({
  name: 'todo',
  title: 'TODOs',
  description: 'Create, read, change, complete, delete and list TODO items.',
  output: Outcome.extend({
    todo: Todo.optional(),
    count: z.number().int().optional(),
    todos: z.array(Todo).optional(),
  }),
  destructive: true,
  failure,
  operations: {
    create: operation({
      permission: 'mcp:write',
      input: CreateTodo,
      run: async (ctx, actor, input) =>
        done('create', { todo: await createTodo(ctx, actor, input) }),
    }),
    get: operation({
      permission: 'mcp:read',
      input: TodoId,
      run: async (ctx, actor, input) => done('get', { todo: await getTodo(ctx, actor, input) }),
    }),
    update: operation({
      permission: 'mcp:write',
      input: TodoId.extend(TodoFields.shape),
      run: async (ctx, actor, input) =>
        done('update', { todo: await updateTodo(ctx, actor, input) }),
    }),
    complete: operation({
      permission: 'mcp:write',
      input: TodoId,
      run: async (ctx, actor, input) =>
        done('complete', { todo: await updateTodo(ctx, actor, { ...input, status: 'completed' }) }),
    }),
    delete: operation({
      permission: 'mcp:write',
      input: TodoId,
      run: async (ctx, actor, input) => {
        await deleteTodo(ctx, actor, input)
        return done('delete', { todo_id: input.todo_id })
      },
    }),
    list: operation({
      permission: 'mcp:read',
      input: z.object({
        list_id: NodeName.optional().describe('all TODOs of this list, without pages'),
        filters: Filters.optional(),
        ...paging(200),
      }),
      run: async (ctx, actor, input) => {
        const { todos, nextCursor } = await listTodos(ctx, actor, input)
        return done('list', { count: todos.length, todos, ...continued(nextCursor) })
      },
    }),
  },
})

const todoList = defineTool({
  name: 'todo_list',
  title: 'TODO lists',
  description:
    'Keep TODO items in lists: create, read, change, archive, delete, fill, and count them.',
  output: Outcome.extend({
    list: TodoList.optional(),
    lists: z.array(TodoList).optional(),
    todos: z.array(Todo).optional(),
    stats: TodoStats.optional(),
    count: z.number().int().optional(),
    edge_id: z.string().optional(),
    removed: z.union([z.boolean(), z.number().int()]).optional(),
  }),
  destructive: true,
  failure,
  operations: {
    create: operation({
      permission: 'mcp:write',
      input: CreateList,
      run: async (ctx, actor, input) =>
        done('create', { list: await createList(ctx, actor, input) }),
    }),
    get: operation({
      permission: 'mcp:read',
      input: ListId,
      run: async (ctx, actor, input) => done('get', await getList(ctx, actor, input)),
    }),
    update: operation({
      permission: 'mcp:write',
      input: ListId.extend(ListFields.shape),
      run: async (ctx, actor, input) =>
        done('update', { list: await updateList(ctx, actor, input) }),
    }),
    archive: operation({
      permission: 'mcp:write',
      input: ListId.extend({
        remove_completed: z.boolean().default(false).describe('delete its completed TODOs'),
      }),
      run: async (ctx, actor, input) => done('archive', await archiveList(ctx, actor, input)),
    }),
    delete: operation({
      permission: 'mcp:write',
      input: ListId,
      run: async (ctx, actor, input) => {
        await deleteList(ctx, actor, input)
        return done('delete', { list_id: input.list_id })
      },
    }),
    list: operation({
      permission: 'mcp:read',
      input: z.object({ filters: Filters.optional(), ...paging(200) }),
      run: async (ctx, actor, input) => {
        const { lists, nextCursor } = await getLists(ctx, actor, input)
        return done('list', { count: lists.length, lists, ...continued(nextCursor) })
      },
    }),
    add_todo: operation({
      permission: 'mcp:write',
      input: ListId.extend(TodoId.shape),
      run: async (ctx, actor, input) => done('add_todo', await addToList(ctx, actor, input)),
    }),
    remove_todo: operation({
      permission: 'mcp:write',
      input: ListId.extend(TodoId.shape),
      run: async (ctx, actor, input) =>
        done('remove_todo', await removeFromList(ctx, actor, input)),
    }),
    get_stats: operation({
      permission: 'mcp:read',
      input: ListId,
      run: async (ctx, actor, input) =>
        done('get_stats', { stats: await getStats(ctx, actor, input) }),
    }),
  },
})

export const todoTools = [todo, todoList]
