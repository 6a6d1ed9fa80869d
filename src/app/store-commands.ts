import { z } from 'zod'
import { defineCommand } from '../control/define-command.ts'
import { checkStore, storeStatus } from './inspect-store.ts'

// Here and not in a slice: which migrations there are is known to the root alone.

export const storeStatusCommand = defineCommand({
  name: 'db.status',
  input: z.object({}),
  run: (ctx) => storeStatus(ctx.db.engine),
})

export const checkStoreCommand = defineCommand({
  name: 'db.check',
  input: z.object({}),
  run: (ctx) => checkStore(ctx.db.engine),
})

export const commands = [storeStatusCommand, checkStoreCommand]
