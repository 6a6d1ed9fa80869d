import { defineRoute } from '../../http/define-route.ts'
import { Search, SearchPage } from './schema.ts'
import { searchMessages } from './service.ts'

export const routes = [
  defineRoute({
    method: 'get',
    path: '/api/search',
    summary: 'Search your conversations, newest first; go on with `before` until `next` is null',
    permission: 'messages:search',
    rate: 'unlimited',
    query: Search,
    status: 200,
    output: SearchPage,
    run: (ctx, actor, input, request) => searchMessages(ctx, actor, input, request.signal),
  }),
]
