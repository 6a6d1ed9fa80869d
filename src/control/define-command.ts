import type { z } from 'zod'
import type { Ctx } from '../context.ts'
import type { Actor } from '../policy/actor.ts'

/**
 * A command that an administrator can run from the command line: the same use cases as elsewhere, run
 * inside the server if one is running, else in the command's own process.
 */
export interface Command<N extends string = string, I extends z.ZodType = z.ZodType, O = unknown> {
  /** For example `user.approve`. */
  readonly name: N
  readonly input: I
  run(ctx: Ctx, actor: Actor, input: z.output<I>): Promise<O>
}

/** Keeps the literal name, by which callers look up the types of input and output. */
export function defineCommand<const N extends string, I extends z.ZodType, O>(
  command: Command<N, I, O>,
): Command<N, I, O> {
  return command
}
