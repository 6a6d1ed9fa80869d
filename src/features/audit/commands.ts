import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { checkAuditChain, getChainPage } from './read.ts'

const Cursor = z.object({
  position: z.number().int().min(0),
  checkpoint: z.number().int().min(0),
})

const auditPageCommand = defineCommand({
  name: 'audit.page',
  input: z.object({
    after: Cursor.optional(),
    limit: z.number().int().min(1).max(1000).default(500),
    begin: z.enum(['audit.read', 'audit.exported']).optional(),
  }),
  run: getChainPage,
})

const auditVerifyCommand = defineCommand({
  name: 'audit.verify',
  input: z.object({}),
  run: checkAuditChain,
})

export const commands = [auditPageCommand, auditVerifyCommand]

// An export is verified without a server: the command line needs only this.
export { verifyLines } from './verify-lines.ts'
