import { defineRoute } from '../../http/define-route.ts'
import { AppVersion, AppVersionQuery } from './schema.ts'
import { getAppVersion } from './service.ts'

export const routes = [
  defineRoute({
    method: 'get',
    path: '/api/app/version',
    summary: 'Which app versions are supported',
    permission: 'public',
    rate: 'unlimited',
    query: AppVersionQuery,
    status: 200,
    output: AppVersion,
    run: getAppVersion,
  }),
]
