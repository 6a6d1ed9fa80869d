import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { line, uuid } from '../../platform/text.ts'
import { getHolds, liftHold, placeHold } from './holds.ts'
import { runRetention, showRetention } from './service.ts'

const showRetentionCommand = defineCommand({
  name: 'retention.show',
  input: z.object({}),
  run: showRetention,
})

const runRetentionCommand = defineCommand({
  name: 'retention.run',
  input: z.object({}),
  run: (ctx, actor) => runRetention(ctx, actor, new AbortController().signal),
})

const listHoldsCommand = defineCommand({
  name: 'retention.holds',
  input: z.object({}),
  run: getHolds,
})

const placeHoldCommand = defineCommand({
  name: 'retention.hold',
  input: z.object({
    subject: z.enum(['user', 'conversation', 'audit']),
    name: line(1, 254).optional(),
    reason: line(1, 500),
  }),
  run: placeHold,
})

const liftHoldCommand = defineCommand({
  name: 'retention.lift',
  input: z.object({ id: uuid }),
  run: liftHold,
})

export const commands = [
  showRetentionCommand,
  runRetentionCommand,
  listHoldsCommand,
  placeHoldCommand,
  liftHoldCommand,
]
