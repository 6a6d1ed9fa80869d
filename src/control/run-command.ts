import type { Ctx } from '../context.ts'
import { AppError, commonErrors } from '../platform/errors.ts'
import { parseInput } from '../platform/parse-input.ts'
import { operatorActor } from '../policy/actor.ts'
import type { Command } from './define-command.ts'
import type { ControlRequest } from './protocol.ts'

/** Runs a command as the operator; throws `validation_failed` if the input does not match its schema. */
export async function runCommand(
  ctx: Ctx,
  commands: readonly Command[],
  { command: name, input }: ControlRequest,
): Promise<unknown> {
  const command = commands.find((candidate) => candidate.name === name)
  if (!command) throw new AppError(commonErrors.notFound, { command: name })
  const parsed = parseInput(command.input, input ?? {}, 'input')
  const actor = operatorActor(ctx.config.tenantId, `cli:${name}`, ctx.ids.next())
  return command.run(ctx, actor, parsed)
}
