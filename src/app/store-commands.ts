import { z } from 'zod'
import { defineCommand } from '../control/define-command.ts'
import { checkStore, storeStatus } from './inspect-store.ts'

// Not in a slice: only the composition root knows the list of migrations.

const storeStatusCommand = defineCommand({
  name: 'db.status',
  input: z.object({}),
  run: (ctx) => storeStatus(ctx.db.engine),
})

const checkStoreCommand = defineCommand({
  name: 'db.check',
  input: z.object({}),
  run: (ctx) => checkStore(ctx.db.engine),
})

export const commands = [storeStatusCommand, checkStoreCommand]
