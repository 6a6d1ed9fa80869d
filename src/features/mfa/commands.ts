import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { line } from '../../platform/text.ts'
import { resetFactors } from './reset.ts'

const resetFactorsCommand = defineCommand({
  name: 'user.reset-mfa',
  input: z.object({ user: line(1, 254) }),
  run: resetFactors,
})

export const commands = [resetFactorsCommand]
