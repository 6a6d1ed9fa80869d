import { z } from 'zod'
import { defineRoute } from '../../http/define-route.ts'
import { commonErrors } from '../../platform/errors.ts'
import { inviteErrors } from './errors.ts'
import { CreatedInvitation, CreateInvitation, Invitation, InvitationId } from './schema.ts'
import { createInvitation, getInvitations, revokeInvitation } from './service.ts'

export const routes = [
  defineRoute({
    method: 'get',
    path: '/api/admin/invitations',
    summary: 'List invitations, newest first',
    permission: 'invites:read',
    rate: 'unlimited',
    status: 200,
    output: z.array(Invitation),
    run: getInvitations,
  }),
  defineRoute({
    method: 'post',
    path: '/api/admin/invitations',
    summary: 'Create an invitation; its token is shown only once',
    permission: 'invites:write',
    rate: 'invite-create',
    body: CreateInvitation,
    status: 200,
    output: CreatedInvitation,
    run: createInvitation,
  }),
  defineRoute({
    method: 'delete',
    path: '/api/admin/invitations/{id}',
    summary: 'Revoke an open invitation',
    permission: 'invites:write',
    rate: 'unlimited',
    params: InvitationId,
    status: 204,
    output: null,
    errors: [commonErrors.notFound, inviteErrors.alreadyRedeemed, inviteErrors.alreadyExpired],
    run: revokeInvitation,
  }),
]
