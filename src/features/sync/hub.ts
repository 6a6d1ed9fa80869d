import { z } from 'zod'
import { defineHubMethod } from '../../hub/define-method.ts'
import { SyncQuery } from './schema.ts'
import { getChanges } from './service.ts'

const cursor = z.string('invalid_cursor').max(200, 'invalid_cursor').nullish()

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
