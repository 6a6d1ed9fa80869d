import { z } from 'zod'
import { defineRoute } from '../../http/define-route.ts'
import { commonErrors } from '../../platform/errors.ts'
import { MessageId } from '../messages/schema.ts'
import { reportErrors } from './errors.ts'
import { ListReports, Report, ReportId, ReportMessage } from './schema.ts'
import { getReports, reportMessage, resolveReport } from './service.ts'

export const routes = [
  defineRoute({
    method: 'post',
    path: '/api/messages/{id}/report',
    summary: 'Report a message to the administrators',
    permission: 'messages:read',
    rate: 'unlimited',
    params: MessageId,
    body: ReportMessage,
    status: 204,
    output: null,
    errors: [commonErrors.notFound],
    run: reportMessage,
  }),
  defineRoute({
    method: 'get',
    path: '/api/admin/reports',
    summary: 'Reported messages, newest report first',
    permission: 'users:read',
    rate: 'unlimited',
    query: ListReports,
    status: 200,
    output: z.array(Report),
    run: getReports,
  }),
  defineRoute({
    method: 'post',
    path: '/api/admin/reports/{id}/resolve',
    summary: 'Close a report',
    permission: 'users:write',
    rate: 'unlimited',
    params: ReportId,
    status: 204,
    output: null,
    errors: [reportErrors.notOpen],
    run: resolveReport,
  }),
]
