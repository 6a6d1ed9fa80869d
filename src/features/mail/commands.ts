import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { testMail } from './test-mail.ts'

const mailTestCommand = defineCommand({
  name: 'mail.test',
  input: z.object({ to: z.string().trim().max(254).pipe(z.email('is not an e-mail address')) }),
  run: testMail,
})

export const commands = [mailTestCommand]
