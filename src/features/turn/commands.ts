import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { line } from '../../platform/text.ts'
import { makeCredentialsFor, makeTurnConfig, makeTurnSecret } from './service.ts'
import { testTurn } from './test-relay.ts'

const turnSecretCommand = defineCommand({
  name: 'turn.secret',
  input: z.object({ rotate: z.boolean().default(false) }),
  run: makeTurnSecret,
})

const turnConfigCommand = defineCommand({
  name: 'turn.config',
  input: z.object({}),
  run: makeTurnConfig,
})

const turnCredentialsCommand = defineCommand({
  name: 'turn.credentials',
  input: z.object({
    user: line(1, 254),
    /** In seconds; at most a day. */
    ttlSeconds: z.number().int().min(1).max(86_400).default(3600),
  }),
  run: makeCredentialsFor,
})

const turnTestCommand = defineCommand({
  name: 'turn.test',
  input: z.object({}),
  run: testTurn,
})

export const commands = [
  turnSecretCommand,
  turnConfigCommand,
  turnCredentialsCommand,
  turnTestCommand,
]
