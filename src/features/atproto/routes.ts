import type { Ctx } from '../../context.ts'
import { defineRawRoute } from '../../http/define-route.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { isStorable } from '../../platform/text.ts'
import { accountsOf } from './service.ts'

const CONTEXT = ['https://www.w3.org/ns/did/v1']

/** The service's entry in a DID document. The endpoint is an origin: proxies append `/xrpc/…` to it. */
function serviceEntry({ config }: Pick<Ctx, 'config'>, id: string) {
  return { id, type: 'AtprotoMlsService', serviceEndpoint: new URL(config.publicUrl).origin }
}

export const routes = [
  defineRawRoute({
    method: 'get',
    path: '/.well-known/did.json',
    summary: 'The DID document of this server',
    permission: 'public',
    rate: 'unlimited',
    respond: async (ctx) =>
      Response.json({
        '@context': CONTEXT,
        id: ctx.config.atproto.serviceDid,
        service: [serviceEntry(ctx, '#atproto_mls')],
      }),
  }),
  defineRawRoute({
    method: 'get',
    path: '/u/{name}/did.json',
    summary: 'The DID document of an account of this server',
    permission: 'public',
    rate: 'did-document',
    async respond(ctx, _actor, { params }) {
      const name = String(params.name)
      if (!isStorable(name)) throw new AppError(commonErrors.notFound)
      const { tenantId, atproto } = ctx.config
      const id = atproto.localDidPrefix + name.toLowerCase()
      const account = (await accountsOf(ctx, ctx.db.read, tenantId, [id])).get(id)
      if (account?.status !== 'Active') throw new AppError(commonErrors.notFound)
      return Response.json({
        '@context': CONTEXT,
        id,
        service: [serviceEntry(ctx, `${id}#atproto_mls`)],
      })
    },
  }),
  defineRawRoute({
    method: 'get',
    path: '/lexicons',
    summary: 'The names of the lexicons of the XRPC methods',
    permission: 'public',
    rate: 'unlimited',
    async respond() {
      const { lexicons } = await import('../../../lexicons/index.ts')
      return Response.json({ lexicons: lexicons.map(({ id }) => id) })
    },
  }),
  defineRawRoute({
    method: 'get',
    path: '/lexicons/{nsid}',
    summary: 'A lexicon',
    permission: 'public',
    rate: 'unlimited',
    async respond(_ctx, _actor, { params }) {
      const { lexicons } = await import('../../../lexicons/index.ts')
      const found = lexicons.find(({ id }) => id === params.nsid)
      if (!found) throw new AppError(commonErrors.notFound)
      return Response.json(found)
    },
  }),
]
