import { z } from 'zod'
import type { Ctx } from '../context.ts'
import { AppError, commonErrors } from '../platform/errors.ts'
import type { Actor } from '../policy/actor.ts'
import { onlyReads, type Permission } from '../policy/permissions.ts'
import type { LimitedRateClass } from '../policy/rate-classes.ts'

/** One thing a tool does: its permission, its input and its use case. */
export interface Operation<I extends z.ZodObject = z.ZodObject<Record<string, z.ZodType>>> {
  readonly permission: Permission
  /** A second permission that it also needs. */
  readonly besides?: Permission
  readonly input: I
  run(ctx: Ctx, actor: Actor, input: z.output<I>): Promise<object>
}

/** A tool of the Model Context Protocol as the server sees it. */
export interface Tool {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly rate: LimitedRateClass
  readonly operations: ReadonlyMap<string, Operation>
  /** Returns the name of the operation that a call's arguments select. */
  choose(args: Arguments): string
  /** Whether clients choose the operation by an argument `operation`. */
  readonly isChosenByName: boolean
  /**
   * For the messenger's own tools: only a credential that was granted the permission by name may use
   * them, since what people may do themselves is not necessarily what their AI client may do.
   */
  readonly onlyGranted: boolean
  readonly destructive: boolean
  readonly output: z.ZodObject
  /** A refusal in the form of the tool's result. */
  failure(error: AppError): object
}

export type Arguments = Readonly<Record<string, unknown>>

interface ToolWords {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly output: z.ZodObject
  readonly onlyGranted?: true
  readonly destructive?: true
  failure?(error: AppError): object
}

/** The permissions an operation needs; the client is told to request the first one that it lacks. */
export function permissionsFor({ permission, besides }: Operation): Permission[] {
  return besides === undefined ? [permission] : [permission, besides]
}

/** Whether it changes nothing. The second permission decides, being more specific than the first. */
export function isReadingOperation({ permission, besides }: Operation): boolean {
  return onlyReads(besides ?? permission)
}

/** Checks that the schema and the use case agree on the input's type. */
export function operation<I extends z.ZodObject>(spec: Operation<I>): Operation {
  return spec as unknown as Operation
}

/** Defines a tool with several operations, chosen by its argument `operation` or by `choose`. */
export function defineTool(
  spec: ToolWords & { operations: Record<string, Operation>; choose?(args: Arguments): string },
): Tool {
  return toolOf(spec, new Map(Object.entries(spec.operations)), spec.choose)
}

const ONLY = 'only'

/** Defines a tool with a single operation. */
export function defineSimpleTool<I extends z.ZodObject>(spec: ToolWords & Operation<I>): Tool {
  return toolOf(spec, new Map([[ONLY, operation(spec)]]), () => ONLY)
}

function toolOf(spec: ToolWords, operations: Tool['operations'], choose?: Tool['choose']): Tool {
  return {
    name: spec.name,
    title: spec.title,
    description: spec.description,
    rate: 'mcp-call',
    operations,
    choose: choose ?? ((args) => String(args.operation)),
    isChosenByName: choose === undefined,
    onlyGranted: spec.onlyGranted ?? false,
    destructive: spec.destructive ?? false,
    output: spec.output,
    failure: spec.failure ?? (({ code, message }) => ({ success: false, error: message, code })),
  }
}

/** Returns the operation that the arguments select; throws `validation_failed` if there is none. */
export function operationOf(tool: Tool, args: Arguments): Operation {
  const operation = tool.operations.get(tool.choose(args))
  if (operation) return operation
  const names = [...tool.operations.keys()].join(', ')
  throw new AppError(commonErrors.validationFailed, { fields: { operation: `one of ${names}` } })
}

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
    inputSchema: jsonSchema(inputOf(tool, usable), 'input'),
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
function inputOf(tool: Tool, usable: ReadonlyMap<string, Operation>): z.ZodObject {
  const inputs = [...usable.values()].map(({ input }) => input)
  const [only] = inputs
  if (tool.operations.size === 1 && !tool.isChosenByName && only) return only
  const shape: Record<string, z.ZodType> = tool.isChosenByName
    ? { operation: z.enum([...usable.keys()]).describe(neededBy(usable)) }
    : {}
  for (const input of inputs) {
    for (const [field, schema] of Object.entries(input.shape)) {
      const isNeeded = inputs.every((one) => neededIn(one).includes(field))
      shape[field] ??= isNeeded ? schema : schema.optional()
    }
  }
  return z.object(shape)
}

/** The arguments that each operation needs, which the flat schema cannot say: `get(id), list()`. */
function neededBy(usable: ReadonlyMap<string, Operation>): string {
  return [...usable].map(([name, { input }]) => `${name}(${neededIn(input).join(', ')})`).join(', ')
}

function neededIn({ shape }: z.ZodObject): string[] {
  return Object.entries(shape)
    .filter(([, schema]) => !schema.safeParse(undefined).success)
    .map(([field]) => field)
}

function jsonSchema(schema: z.ZodObject, io: 'input' | 'output'): Described['inputSchema'] {
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
