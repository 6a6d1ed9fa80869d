import type { Ctx } from '../context.ts'
import { authenticateServiceToken } from '../features/atproto/authenticate.ts'
import { atprotoErrors } from '../features/atproto/errors.ts'
import { redeemTicket } from '../features/mls/delivery/tickets.ts'
import { authenticateTicket } from '../features/sessions/authenticate.ts'
import { AppError } from '../platform/errors.ts'
import type { Origin } from '../policy/actor.ts'
import { bearerToken } from '../policy/bearer-token.ts'
import { forwardTo } from '../xrpc/forward.ts'
import {
  createXrpcServer,
  type XrpcCaller,
  type XrpcOptions,
  type XrpcServer,
} from '../xrpc/server.ts'
import { admit } from './admit.ts'
import type { Authenticator } from './authenticate.ts'
import { xrpcMethods } from './features.ts'

/** Builds the XRPC transport. Callers present a service token, an access token, or a stream's ticket. */
export function buildXrpc(
  ctx: Ctx,
  options: Pick<XrpcOptions, 'anonymous' | 'recordRefusal' | 'checkAnswers' | 'streamLimits'> & {
    readonly authenticator: Authenticator
  },
): XrpcServer {
  const { authenticator } = options
  const { upstream } = ctx.config.atproto
  const xrpc = createXrpcServer({
    ...options,
    ctx,
    methods: xrpcMethods,
    authenticate: (request, origin, nsid) =>
      authenticate(ctx, authenticator, request, origin, nsid),
    admit: (actor, { nsid, changes }) => admit(ctx, { actor, changes }, `/xrpc/${nsid}`),
    refuseStranger: () => new AppError(atprotoErrors.notAdmitted),
    stillActive: (actor) => authenticator.stillHolds(actor),
    forward: upstream === undefined ? undefined : forwardTo(upstream),
  })
  ctx.bus.subscribe(xrpc)
  ctx.metrics.eventStreams = () => xrpc.openStreams()
  return xrpc
}

async function authenticate(
  ctx: Ctx,
  authenticator: Authenticator,
  request: Request,
  origin: Origin,
  nsid: string,
): Promise<XrpcCaller> {
  const { searchParams } = new URL(request.url)
  const ticket = searchParams.get('ticket')
  if (ticket !== null && nsid === 'blue.catbird.mls.subscribeConvoEvents') {
    const holder = await redeemTicket(ctx, ticket, searchParams.get('convoId'))
    return { actor: await authenticateTicket(ctx, holder, origin) }
  }
  const token = bearerToken(request.headers)
  const service =
    token && (await authenticateServiceToken(ctx, ctx.config.tenantId, token, { nsid, origin }))
  return service || { actor: await authenticator.identify(request, origin, 'rest') }
}
