import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { line } from '../../platform/text.ts'
import { rotateKey } from './rotate.ts'
import { CreateKey, KeyId, RotateKey } from './schema.ts'
import { createKey, listKeys, revokeKey } from './service.ts'

const createKeyCommand = defineCommand({
  name: 'apikey.create',
  // The owner: a service with the key's own name, or a person.
  input: CreateKey.omit({ service: true }).extend({ user: line(1, 254).optional() }),
  run: async (ctx, actor, input) => {
    const wanted = input.user === undefined ? { ...input, service: input.name } : input
    const made = await createKey(ctx, actor, wanted)
    return { ...made, mcpUrl: `${ctx.config.publicUrl}/mcp` }
  },
})

const listKeysCommand = defineCommand({
  name: 'apikey.list',
  input: z.object({}),
  run: listKeys,
})

const rotateKeyCommand = defineCommand({
  name: 'apikey.rotate',
  input: KeyId.extend(RotateKey.shape),
  run: rotateKey,
})

const revokeKeyCommand = defineCommand({
  name: 'apikey.revoke',
  input: KeyId,
  run: revokeKey,
})

export const commands = [createKeyCommand, listKeysCommand, rotateKeyCommand, revokeKeyCommand]
