import { defineRoute } from '../../http/define-route.ts'
import { Presence, PresenceOf } from './schema.ts'
import { getPresence } from './service.ts'

export const routes = [
  defineRoute({
    method: 'get',
    path: '/api/friends/{userId}/presence',
    summary: 'Whether a friend is online',
    permission: 'presence:read',
    rate: 'unlimited',
    params: PresenceOf,
    status: 200,
    output: Presence,
    run: getPresence,
  }),
]
