import { z } from 'zod'
import { defineRoute } from '../../http/define-route.ts'
import { commonErrors } from '../../platform/errors.ts'
import { oidcErrors } from './errors.ts'
import { getIdentities, unlinkIdentity } from './identities.ts'
import { Identity, IdentityId, SignInConfig } from './schema.ts'
import { getSignInConfig } from './service.ts'

export const routes = [
  defineRoute({
    method: 'get',
    path: '/auth/config',
    summary: 'The ways to sign in',
    permission: 'public',
    rate: 'unlimited',
    status: 200,
    output: SignInConfig,
    run: async (ctx) => getSignInConfig(ctx),
  }),
  defineRoute({
    method: 'get',
    path: '/api/me/identities',
    summary: 'The external identities connected to your account',
    permission: 'signed-in',
    rate: 'unlimited',
    status: 200,
    output: z.array(Identity),
    run: getIdentities,
  }),
  defineRoute({
    method: 'delete',
    path: '/api/me/identities/{id}',
    summary: 'Disconnect an identity from your account',
    permission: 'signed-in',
    rate: 'unlimited',
    stepUp: true,
    params: IdentityId,
    status: 204,
    output: null,
    errors: [commonErrors.notFound, oidcErrors.lastSignInMethod],
    run: unlinkIdentity,
  }),
]
