import { z } from 'zod'
import type { Ctx } from '../context.ts'
import { AppError, commonErrors } from '../platform/errors.ts'
import type { Actor } from '../policy/actor.ts'
import { onlyReads, type Permission } from '../policy/permissions.ts'
import type { LimitedRateClass } from '../policy/rate-classes.ts'

/** One thing a tool does: what it needs, what it is given, which use case it is. */
export interface Operation<I extends z.ZodObject = z.ZodObject> {
  readonly permission: Permission
  /** A further one that it needs. */
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
  /** The name of the operation that a call's arguments mean. */
  choose(args: Arguments): string
  /** Whether clients are told of an argument `operation`. */
  readonly isChosenByName: boolean
  /**
   * For the messenger's own tools: only a credential that was granted the permission by name opens
   * them. What somebody may do themselves is not therefore what their AI client may do.
   */
  readonly onlyGranted: boolean
  readonly destructive: boolean
  readonly output: z.ZodObject
  /** What a refusal looks like inside a result. */
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

/** All that an operation needs; the first that a credential lacks is what its client is told to ask for. */
export function permissionsFor({ permission, besides }: Operation): Permission[] {
  return besides === undefined ? [permission] : [permission, besides]
}

/** Whether it changes nothing: the further permission says what of the general one is meant. */
export function isReadingOperation({ permission, besides }: Operation): boolean {
  return onlyReads(besides ?? permission)
}

/** Keeps the input's type between the schema and the use case. */
export function operation<I extends z.ZodObject>(spec: Operation<I>): Operation {
  return spec as unknown as Operation
}

/** A tool that does several things, chosen by its argument `operation`, or as `choose` says. */
export function defineTool(
  spec: ToolWords & { operations: Record<string, Operation>; choose?(args: Arguments): string },
): Tool {
  return toolOf(spec, new Map(Object.entries(spec.operations)), spec.choose)
}

const ONLY = 'only'

/** A tool that does one thing. */
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

/** What a call's arguments mean; throws `validation_failed` when there is no such operation. */
export function operationOf(tool: Tool, args: Arguments): Operation {
  const operation = tool.operations.get(tool.choose(args))
  if (operation) return operation
  const names = [...tool.operations.keys()].join(', ')
  throw new AppError(commonErrors.validationFailed, { fields: { operation: `one of ${names}` } })
}

/** The tool as clients are told of it. */
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

/** Describes a tool with those of its operations that the caller may use. */
export function describeTool(tool: Tool, usable: readonly string[]): Described {
  const { name, title, description } = tool
  const operations = usable.map((one) => tool.operations.get(one) as Operation)
  const isReading = operations.every(isReadingOperation)
  return {
    name,
    title,
    description,
    inputSchema: jsonSchema(inputOf(tool, usable, operations), 'input'),
    outputSchema: jsonSchema(tool.output, 'output'),
    annotations: {
      readOnlyHint: isReading,
      destructiveHint: !isReading && tool.destructive,
      idempotentHint: isReading,
      openWorldHint: false,
    },
  }
}

/** Clients want one flat object: every operation's arguments, the operation itself required. */
function inputOf(
  tool: Tool,
  usable: readonly string[],
  operations: readonly Operation[],
): z.ZodObject {
  const [only] = operations
  if (tool.operations.size === 1 && !tool.isChosenByName && only) return only.input
  const shape: Record<string, z.ZodType> = tool.isChosenByName
    ? { operation: z.enum(usable as [string, ...string[]]) }
    : {}
  for (const { input } of operations) {
    for (const [field, schema] of Object.entries(input.shape)) {
      shape[field] ??= (schema as z.ZodType).optional()
    }
  }
  return z.object(shape)
}

function jsonSchema(schema: z.ZodObject, io: 'input' | 'output'): Described['inputSchema'] {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return { ...rest, type: 'object' }
}
