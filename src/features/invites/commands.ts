import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { CreateInvitation, InvitationId } from './schema.ts'
import { createInvitation, getInvitations, revokeInvitation } from './service.ts'

const createInvitationCommand = defineCommand({
  name: 'invite.create',
  input: CreateInvitation,
  // The link is built in the server, where the public URL is known.
  run: async (ctx, actor, input) => {
    const invitation = await createInvitation(ctx, actor, input)
    return { ...invitation, url: `${ctx.config.publicUrl}/join/${invitation.token}` }
  },
})

const listInvitationsCommand = defineCommand({
  name: 'invite.list',
  input: z.object({}),
  run: getInvitations,
})

const revokeInvitationCommand = defineCommand({
  name: 'invite.revoke',
  input: InvitationId,
  run: revokeInvitation,
})

export const commands = [createInvitationCommand, listInvitationsCommand, revokeInvitationCommand]
