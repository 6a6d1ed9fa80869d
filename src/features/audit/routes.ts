import { z } from 'zod'
import { defineRoute } from '../../http/define-route.ts'
import { getAuditEvents } from './read.ts'
import { AuditRecord, ListAudit } from './schema.ts'

export const routes = [
  defineRoute({
    method: 'get',
    path: '/api/audit',
    summary: 'The audit log, newest first',
    permission: 'audit:read',
    rate: 'unlimited',
    query: ListAudit,
    status: 200,
    output: z.array(AuditRecord),
    run: getAuditEvents,
  }),
]
