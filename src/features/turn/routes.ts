import { defineRoute } from '../../http/define-route.ts'
import { getTurnCredentials } from './credentials.ts'
import { TurnCredentials } from './schema.ts'

export const routes = [
  defineRoute({
    method: 'get',
    path: '/api/call/turn-credentials',
    summary: 'Time-limited credentials for the TURN server',
    permission: 'calls:use',
    rate: 'unlimited',
    status: 200,
    output: TurnCredentials,
    run: getTurnCredentials,
  }),
]
