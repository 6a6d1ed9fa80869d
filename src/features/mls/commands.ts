import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { compactNow, describeConvo, describeDevices, listAllConvos } from './operate.ts'

export const commands = [
  defineCommand({ name: 'mls.list', input: z.object({}), run: listAllConvos }),
  defineCommand({
    name: 'mls.show',
    input: z.object({ convo: z.string().max(128) }),
    run: describeConvo,
  }),
  defineCommand({
    name: 'mls.devices',
    input: z.object({ user: z.string().max(254) }),
    run: describeDevices,
  }),
  defineCommand({ name: 'mls.compact', input: z.object({}), run: compactNow }),
]
