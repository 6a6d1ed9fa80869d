import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { line } from '../../platform/text.ts'
import { testDevicesOf } from './test-push.ts'

const pushTestCommand = defineCommand({
  name: 'push.test',
  input: z.object({ user: line(1, 254) }),
  run: testDevicesOf,
})

export const commands = [pushTestCommand]
