import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { KEY_PURPOSES } from '../../platform/keyring.ts'
import { listKeys, retireKey, rotateKey } from './service.ts'

const listKeysCommand = defineCommand({
  name: 'key.list',
  input: z.object({}),
  run: listKeys,
})

const rotateKeyCommand = defineCommand({
  name: 'key.rotate',
  input: z.object({ purpose: z.enum(KEY_PURPOSES) }),
  run: rotateKey,
})

const retireKeyCommand = defineCommand({
  name: 'key.retire',
  input: z.object({ id: z.string().min(1).max(100) }),
  run: retireKey,
})

export const commands = [listKeysCommand, rotateKeyCommand, retireKeyCommand]
