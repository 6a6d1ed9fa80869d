import { defineRoute } from '../../http/define-route.ts'
import { syncErrors } from './errors.ts'
import { SyncPage, SyncQuery } from './schema.ts'
import { getChanges } from './service.ts'

export const routes = [
  defineRoute({
    method: 'get',
    path: '/api/sync',
    summary: 'What happened since the cursor, in order; without one, the current cursor',
    permission: 'messages:read',
    rate: 'unlimited',
    query: SyncQuery,
    status: 200,
    output: SyncPage,
    errors: [syncErrors.invalidCursor, syncErrors.cursorExpired],
    run: getChanges,
  }),
]
