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

/**
 * A hub method: positional arguments, each with a schema whose issue message is the refusal's code,
 * folded into the input of a use case.
 */
export interface HubMethod {
  readonly name: string
  readonly permission: Requirement
  readonly rate: RateClass
  /** Fewest and most positional arguments; any other number is refused. */
  readonly arity: readonly [min: number, max: number]
  /** The schema of each argument, also for tools that describe or test the method. */
  readonly args: readonly z.ZodType[]
  invoke(ctx: Ctx, actor: Actor, args: readonly unknown[], caller: HubCaller): Promise<unknown>
}

/** What `args` parse to, position by position. */
type Parsed<A extends readonly z.ZodType[]> = { -readonly [K in keyof A]: z.output<A[K]> }

export interface HubMethodSpec<A extends readonly z.ZodType[]> {
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
export function defineHubMethod<const A extends readonly z.ZodType[]>(
  spec: HubMethodSpec<A>,
): HubMethod {
  const { name, permission, rate, args: schemas } = spec
  return {
    name,
    permission,
    rate,
    arity: [schemas.length - (spec.optional ?? 0), schemas.length],
    args: schemas,
    async invoke(ctx, actor, args, caller) {
      return spec.run(ctx, actor, parseAll(schemas, args), caller)
    },
  }
}

function parseAll<A extends readonly z.ZodType[]>(schemas: A, args: readonly unknown[]): Parsed<A> {
  const parsed = schemas.map((schema, position) => {
    const result = schema.safeParse(args[position])
    if (result.success) return result.data
    const code = result.error.issues[0]?.message ?? 'validation_failed'
    throw new AppError({ code, kind: 'invalid', message: 'An argument is invalid.' })
  })
  return parsed as Parsed<A>
}
