import type { z } from 'zod'
import type { Ctx } from '../context.ts'
import { AppError } from '../platform/errors.ts'
import type { Actor } from '../policy/actor.ts'
import type { Requirement } from '../policy/permissions.ts'
import type { RateClass } from '../policy/rate-classes.ts'

/** The connection a method was invoked on, for the few methods that depend on it. */
export interface HubCaller {
  readonly connectionId: string
}

/** What a value that breaks an argument's schema is refused with; `path` leads to what is wrong in it. */
type CodeOf = string | ((value: unknown, path: readonly PropertyKey[]) => string)

/** A positional argument. On the hub a refusal is a code only, so that each argument names its own. */
export interface HubArgument<S extends z.ZodType = z.ZodType> {
  readonly schema: S
  readonly code: CodeOf
}

export function argument<S extends z.ZodType>(schema: S, code: CodeOf): HubArgument<S> {
  return { schema, code }
}

/** A hub method: positional arguments, folded into the input of a use case. */
export interface HubMethod {
  readonly name: string
  readonly permission: Requirement
  readonly rate: RateClass
  /** Fewest and most positional arguments; any other number is refused. */
  readonly arity: readonly [min: number, max: number]
  /** The schema of each argument, for tools that describe or test the method. */
  readonly schemas: readonly z.ZodType[]
  invoke(ctx: Ctx, actor: Actor, args: readonly unknown[], caller: HubCaller): Promise<unknown>
}

/** What `args` parse to, position by position. */
type Parsed<A extends readonly HubArgument[]> = {
  -readonly [K in keyof A]: z.output<A[K]['schema']>
}

export interface HubMethodSpec<A extends readonly HubArgument[]> {
  name: string
  permission: Requirement
  rate: RateClass
  args: A
  /** How many of `args`, from the end, a client may omit; their schemas must be optional. */
  optional?: number
  run(ctx: Ctx, actor: Actor, args: Parsed<A>, caller: HubCaller): Promise<unknown>
}

/**
 * Makes a hub method from a use case. The dispatcher checks the permission and the rate limit; then the
 * first argument that does not match its schema refuses the invocation with an AppError.
 */
export function defineHubMethod<const A extends readonly HubArgument[]>(
  spec: HubMethodSpec<A>,
): HubMethod {
  const { name, permission, rate, args: expected } = spec
  return {
    name,
    permission,
    rate,
    arity: [expected.length - (spec.optional ?? 0), expected.length],
    schemas: expected.map(({ schema }) => schema),
    async invoke(ctx, actor, args, caller) {
      return spec.run(ctx, actor, parseAll(expected, args), caller)
    },
  }
}

function parseAll<A extends readonly HubArgument[]>(
  expected: A,
  args: readonly unknown[],
): Parsed<A> {
  const parsed = expected.map(({ schema, code }, position) => {
    const value = args[position]
    const result = schema.safeParse(value)
    if (result.success) return result.data
    const path = result.error.issues[0]?.path ?? []
    throw new AppError({
      code: typeof code === 'string' ? code : code(value, path),
      kind: 'invalid',
      message: 'An argument is invalid.',
    })
  })
  return parsed as Parsed<A>
}
