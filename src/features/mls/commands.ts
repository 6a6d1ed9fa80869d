import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { compactNow, describeConvo, describeDevices, listAllConvos } from './groups/operate.ts'

const listConvosCommand = defineCommand({
  name: 'mls.list',
  input: z.object({}),
  run: listAllConvos,
})

const showConvoCommand = defineCommand({
  name: 'mls.show',
  input: z.object({ convo: z.string().max(128) }),
  run: describeConvo,
})

const listDevicesCommand = defineCommand({
  name: 'mls.devices',
  input: z.object({ user: z.string().max(254) }),
  run: describeDevices,
})

const compactCommand = defineCommand({
  name: 'mls.compact',
  input: z.object({}),
  run: compactNow,
})

export const commands = [listConvosCommand, showConvoCommand, listDevicesCommand, compactCommand]
