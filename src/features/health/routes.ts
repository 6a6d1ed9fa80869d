import { Answer, defineRawRoute, defineRoute } from '../../http/define-route.ts'
import { Health, Readiness } from './schema.ts'
import { getHealth, getReadiness } from './service.ts'

export const routes = [
  defineRoute({
    method: 'get',
    path: '/health',
    summary: 'The health of the server',
    permission: 'public',
    rate: 'unlimited',
    operationClass: 'always',
    status: 200,
    output: Health,
    also: { 503: Health },
    run: async (ctx) => {
      const health = await getHealth(ctx)
      return health.status === 'unhealthy' ? new Answer(503, health) : health
    },
  }),
  defineRawRoute({
    method: 'get',
    path: '/health/live',
    summary: 'Whether the process is alive',
    permission: 'public',
    rate: 'unlimited',
    operationClass: 'always',
    respond: async () => new Response('OK'),
  }),
  defineRoute({
    method: 'get',
    path: '/health/ready',
    summary: 'Whether the server can take requests',
    permission: 'public',
    rate: 'unlimited',
    operationClass: 'always',
    status: 200,
    output: Readiness,
    also: { 503: Readiness },
    run: async (ctx) => {
      const readiness = await getReadiness(ctx)
      return readiness.ready ? readiness : new Answer(503, readiness)
    },
  }),
]
