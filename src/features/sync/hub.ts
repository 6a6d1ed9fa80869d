import { argument, defineHubMethod } from '../../hub/define-method.ts'
import { SyncQuery } from './schema.ts'
import { getChanges } from './service.ts'

const cursor = argument(SyncQuery.shape.cursor.nullable(), 'invalid_cursor')

export const methods = [
  defineHubMethod({
    name: 'Resume',
    permission: 'messages:read',
    rate: 'unlimited',
    args: [cursor],
    optional: 1,
    run: (ctx, actor, [cursor]) =>
      getChanges(ctx, actor, SyncQuery.parse(cursor ? { cursor } : {})),
  }),
]
