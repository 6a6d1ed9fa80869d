import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { line, uuid } from '../../platform/text.ts'
import { eraseAccount, exportAccount, getArchiveChunk } from './operator.ts'

const exportUserCommand = defineCommand({
  name: 'user.export',
  input: z.object({ user: line(1, 254) }),
  run: exportAccount,
})

const exportChunkCommand = defineCommand({
  name: 'user.export-chunk',
  input: z.object({ id: uuid, position: z.number().int().min(0) }),
  run: getArchiveChunk,
})

const eraseUserCommand = defineCommand({
  name: 'user.erase',
  input: z.object({
    user: line(1, 254),
    now: z.boolean().default(false),
    deleteMessages: z.boolean().default(false),
  }),
  run: eraseAccount,
})

export const commands = [exportUserCommand, exportChunkCommand, eraseUserCommand]
