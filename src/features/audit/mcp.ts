import { z } from 'zod'
import { defineSimpleTool } from '../../mcp/define-tool.ts'
import { untrusted, untrustedOutput } from '../../mcp/untrusted.ts'
import { getAuditEvents } from './read.ts'
import { AuditRecord, ListAudit } from './schema.ts'

export const tools = [
  defineSimpleTool({
    name: 'audit_read',
    title: 'Read the audit log',
    description:
      'Who did what, newest first; page back with beforeId. Never contains what people wrote.',
    onlyGranted: true,
    permission: 'mcp:admin',
    besides: 'audit:read',
    input: ListAudit,
    output: untrustedOutput({ events: z.array(AuditRecord).optional() }),
    run: async (ctx, actor, input) =>
      untrusted({ success: true, events: await getAuditEvents(ctx, actor, input) }),
  }),
]
