import { z } from 'zod'
import { isReadingOperation, type Operation, type Tool } from './define-tool.ts'

type Schema = z.core.JSONSchema.JSONSchema
type ObjectSchema = Schema & { readonly type: 'object' }

/** A tool as `tools/list` describes it. */
export interface Described {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly inputSchema: { readonly type: 'object'; readonly [key: string]: unknown }
  readonly outputSchema: { readonly type: 'object'; readonly [key: string]: unknown }
  readonly annotations: {
    readonly readOnlyHint: boolean
    readonly destructiveHint: boolean
    readonly idempotentHint: boolean
    readonly openWorldHint: boolean
  }
}

/** Describes a tool with only the operations that the caller may use, by name. */
export function describeTool(tool: Tool, usable: ReadonlyMap<string, Operation>): Described {
  const { name, title, description } = tool
  const isReading = [...usable.values()].every(isReadingOperation)
  return {
    name,
    title,
    description,
    inputSchema: inputOf(tool, usable),
    outputSchema: jsonSchema(tool.output, 'output'),
    annotations: {
      readOnlyHint: isReading,
      destructiveHint: !isReading && tool.destructive,
      idempotentHint: isReading,
      openWorldHint: false,
    },
  }
}

/**
 * Clients expect one flat object: the arguments of all operations. Required is `operation`, and what every
 * operation needs.
 */
function inputOf(tool: Tool, usable: ReadonlyMap<string, Operation>): ObjectSchema {
  const inputs = new Map([...usable].map(([name, { input }]) => [name, jsonSchema(input, 'input')]))
  const all = [...inputs.values()]
  const [only] = all
  if (tool.operations.size === 1 && !tool.isChosenByName && only) return only
  const fields = [...new Set(all.flatMap(({ properties = {} }) => Object.keys(properties)))]
  const needed = fields.filter((field) => all.every(({ required }) => required?.includes(field)))
  const flat = Object.fromEntries(fields.map((field) => [field, anyOf(fieldOf(all, field))]))
  if (!tool.isChosenByName) return { type: 'object', properties: flat, required: needed }
  const operation: Schema = {
    type: 'string',
    enum: [...usable.keys()],
    description: neededBy(inputs),
  }
  return {
    type: 'object',
    properties: { operation, ...flat },
    required: ['operation', ...needed],
  }
}

function fieldOf(inputs: readonly ObjectSchema[], field: string): Schema[] {
  const schemas = inputs.map(({ properties }) => properties?.[field])
  return schemas.filter((schema) => typeof schema === 'object')
}

/** What an argument may be in any of the operations, each form once. */
function anyOf(schemas: readonly Schema[]): Schema {
  const forms = Map.groupBy(schemas, formOf)
  const [only, ...others] = forms.values()
  if (only && others.length === 0) return agreed(only)
  const alternatives = schemas.flatMap((schema) => schema.anyOf ?? [schema])
  return { anyOf: [...Map.groupBy(alternatives, formOf).values()].map(agreed) }
}

/** The schema without what is only said about it. */
function formOf({ description: _, default: __, examples: ___, ...form }: Schema): string {
  return JSON.stringify(form)
}

/** One schema for several of the same form: described if any is, with a default if all have the same. */
function agreed(schemas: readonly Schema[]): Schema {
  const { default: usual, ...schema } =
    schemas.find(({ description }) => description) ?? schemas[0] ?? {}
  const isUsual = schemas.every((one) => JSON.stringify(one.default) === JSON.stringify(usual))
  return isUsual && usual !== undefined ? { ...schema, default: usual } : schema
}

/** The arguments that each operation needs, which the flat schema cannot say: `get(id), list()`. */
function neededBy(inputs: ReadonlyMap<string, ObjectSchema>): string {
  return [...inputs]
    .map(([name, { required = [] }]) => `${name}(${required.join(', ')})`)
    .join(', ')
}

function jsonSchema(schema: z.ZodObject, io: 'input' | 'output'): ObjectSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    // Clients put the schemas into a model's prompt, and the pattern of a time is 300 characters long.
    override({ jsonSchema }) {
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern
    },
  })
  return { ...rest, type: 'object' }
}
