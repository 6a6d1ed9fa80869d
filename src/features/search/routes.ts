import { defineRoute } from '../../http/define-route.ts'
import { linesResponse, wantsLines } from './response.ts'
import { Search, SearchLine, SearchPage } from './schema.ts'
import { searchMessages, streamSearch } from './service.ts'

export const routes = [
  defineRoute({
    method: 'get',
    path: '/api/search',
    summary:
      'Search your conversations, newest first; continue with `before` until `next` is null. As `application/x-ndjson` each match is sent as soon as it is found',
    permission: 'messages:search',
    rate: 'unlimited',
    query: Search,
    status: 200,
    output: SearchPage,
    lines: SearchLine,
    run: async (ctx, actor, input, request) => {
      if (!wantsLines(request)) return searchMessages(ctx, actor, input, request.signal)
      const goneAway = new AbortController()
      const signal = AbortSignal.any([request.signal, goneAway.signal])
      return linesResponse(await streamSearch(ctx, actor, input, signal), goneAway)
    },
  }),
]
