import { defineRoute } from '../../http/define-route.ts'
import { AuthStatus } from './schema.ts'
import { getAuthStatus } from './service.ts'

export const routes = [
  defineRoute({
    method: 'get',
    path: '/auth/status',
    summary: 'Whether you are signed in, as whom, and how to sign in',
    permission: 'anyone',
    rate: 'unlimited',
    status: 200,
    output: AuthStatus,
    run: getAuthStatus,
  }),
]
