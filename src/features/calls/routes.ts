import { z } from 'zod'
import { defineRoute } from '../../http/define-route.ts'
import { getMissedCalls } from './missed.ts'
import { MissedCall, MissedCallsQuery } from './schema.ts'

export const routes = [
  defineRoute({
    method: 'get',
    path: '/api/call/missed',
    summary: 'Missed calls, newest first',
    permission: 'calls:use',
    rate: 'unlimited',
    query: MissedCallsQuery,
    status: 200,
    output: z.array(MissedCall),
    run: getMissedCalls,
  }),
]
