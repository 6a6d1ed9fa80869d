import type { z } from 'zod'
import type { Ctx } from '../context.ts'
import { AppError, commonErrors } from '../platform/errors.ts'
import { parseInput } from '../platform/parse-input.ts'
import type { Actor } from '../policy/actor.ts'
import { onlyReads, type Permission } from '../policy/permissions.ts'

/** What an operation needs of its caller. */
interface Rights {
  readonly permission: Permission
  /** A second permission that it also needs. */
  readonly besides?: Permission
}

interface OperationSpec<I extends z.ZodObject> extends Rights {
  readonly input: I
  run(ctx: Ctx, actor: Actor, input: z.output<I>): Promise<object>
}

/** One thing a tool does. */
export interface Operation extends Rights {
  readonly input: z.ZodObject<Record<string, z.ZodType>>
  /** Runs the use case; throws `validation_failed` if the arguments do not fit `input`. */
  run(ctx: Ctx, actor: Actor, args: Arguments): Promise<object>
}

/** A tool of the Model Context Protocol as the server sees it. */
export interface Tool {
  readonly name: string
  readonly title: string
  readonly description: string
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

/** An operation that checks its arguments with the schema and passes them on as that schema's type. */
export function operation<I extends z.ZodObject>(spec: OperationSpec<I>): Operation {
  const { input } = spec
  return {
    ...spec,
    run: async (ctx, actor, args) => spec.run(ctx, actor, parseInput(input, args, 'arguments')),
  }
}

/** Defines a tool with several operations, chosen by its argument `operation` or by `choose`. */
export function defineTool(
  spec: ToolWords & { operations: Record<string, Operation>; choose?(args: Arguments): string },
): Tool {
  return toolOf(spec, new Map(Object.entries(spec.operations)), spec.choose)
}

const ONLY = 'only'

/** Defines a tool with a single operation. */
export function defineSimpleTool<I extends z.ZodObject>(spec: ToolWords & OperationSpec<I>): Tool {
  return toolOf(spec, new Map([[ONLY, operation(spec)]]), () => ONLY)
}

function toolOf(spec: ToolWords, operations: Tool['operations'], choose?: Tool['choose']): Tool {
  return {
    name: spec.name,
    title: spec.title,
    description: spec.description,
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
