import { z } from 'zod'
import { text } from '../../platform/text.ts'
import { NodeName, Properties } from './schema.ts'

/** The node types of TODOs and of their lists. */
export const TODO = 'todo'
export const TODO_LIST = 'todoList'

const TodoStatus = z.enum(['pending', 'in_progress', 'completed'])
const TodoPriority = z.enum(['low', 'medium', 'high'])

export const TodoFields = z.object({
  title: text(1, 500).optional(),
  description: text(0, 10_000).optional(),
  status: TodoStatus.optional(),
  priority: TodoPriority.optional(),
  /** Any further properties of the client's own. */
  properties: Properties.optional(),
})
export type TodoFields = z.output<typeof TodoFields>

export const CreateTodo = TodoFields.extend({ title: text(1, 500), list_id: NodeName.optional() })
export type CreateTodo = z.output<typeof CreateTodo>

/**
 * Includes the client's own properties beside the named ones. A TODO that was stored as a plain node may have
 * any text as its status, priority or time.
 */
export const Todo = z.looseObject({
  id: NodeName,
  title: z.string(),
  description: z.string().optional(),
  status: z.string(),
  priority: z.string(),
  created: z.iso.datetime(),
  updated: z.iso.datetime(),
  completed_at: z.string().optional(),
})
export type Todo = z.output<typeof Todo>

export const TodoList = z.looseObject({
  id: NodeName,
  title: z.string(),
  description: z.string().optional(),
  priority: z.string(),
  archived: z.boolean(),
  created: z.iso.datetime(),
  updated: z.iso.datetime(),
})
export type TodoList = z.output<typeof TodoList>

export const TodoStats = z.strictObject({
  total: z.number().int(),
  completed: z.number().int(),
  in_progress: z.number().int(),
  pending: z.number().int(),
  completion_percentage: z.number(),
})
export type TodoStats = z.output<typeof TodoStats>

export const ListFields = TodoFields.omit({ status: true })
export type ListFields = z.output<typeof ListFields>
export const CreateList = ListFields.extend({ title: text(1, 500) })
