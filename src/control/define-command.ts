import type { z } from 'zod'
import type { Ctx } from '../context.ts'
import type { Actor } from '../policy/actor.ts'

/**
 * A command that an administrator can run from the command line: the same use cases as elsewhere, run
 * inside the server if one is running, else in the command's own process.
 */
export interface Command<I extends z.ZodType = z.ZodType, O = unknown> {
  /** For example `user.approve`. */
  readonly name: string
  readonly input: I
  run(ctx: Ctx, actor: Actor, input: z.output<I>): Promise<O>
}

export function defineCommand<I extends z.ZodType, O>(command: Command<I, O>): Command<I, O> {
  return command
}
