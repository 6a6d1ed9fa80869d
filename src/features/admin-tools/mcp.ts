import { z } from 'zod'
import { defineSimpleTool, defineTool, operation } from '../../mcp/define-tool.ts'
import { untrusted, untrustedOutput } from '../../mcp/untrusted.ts'
import { PendingUser } from '../admin/schema.ts'
import { Invitation } from '../invites/schema.ts'
import { getChange, planChange } from './ask.ts'
import { examine } from './doctor.ts'
import { CHANGE_KINDS, type ChangeName } from './kinds.ts'
import { getInvitations, getPendingUsers } from './lists.ts'
import { ChangeId, ChangeState, DryRun } from './schema.ts'

const HOW =
  'Changes are dry runs unless dryRun is false; then an administrator is asked in a chat message and has ' +
  'ten minutes to approve. Check the outcome with operation state and the changeId.'

const changeOutput = {
  dryRun: z.boolean().optional(),
  description: z.string().optional(),
  change: ChangeState.optional(),
}

/** Exposes a change as an operation of a tool. */
function change(name: ChangeName) {
  const { permission, input } = CHANGE_KINDS[name]
  return operation({
    permission: 'mcp:admin',
    besides: permission,
    input: input.extend(DryRun.shape),
    run: async (ctx, actor, given) =>
      untrusted({ success: true, ...(await planChange(ctx, actor, name, given)) }),
  })
}

function state(besides: 'invites:read' | 'users:read') {
  return operation({
    permission: 'mcp:admin',
    besides,
    input: ChangeId,
    run: async (ctx, actor, input) => ({
      success: true,
      change: await getChange(ctx, actor, input),
    }),
  })
}

export const tools = [
  defineSimpleTool({
    name: 'server_doctor',
    title: 'How the server is',
    description: 'The health of the server and what needs an administrator’s attention.',
    onlyGranted: true,
    permission: 'mcp:admin',
    besides: 'users:read',
    input: z.object({}),
    output: z.looseObject({
      status: z.string().optional(),
      findings: z.array(z.string()).optional(),
    }),
    run: examine,
  }),
  defineTool({
    name: 'invitations',
    title: 'Invitations',
    description: `List, create and revoke invitations. ${HOW} The link goes only to the administrator.`,
    onlyGranted: true,
    destructive: true,
    output: untrustedOutput({ invitations: z.array(Invitation).optional(), ...changeOutput }),
    operations: {
      list: operation({
        permission: 'mcp:admin',
        besides: 'invites:read',
        input: z.object({}),
        run: async (ctx, actor) =>
          untrusted({ success: true, invitations: await getInvitations(ctx, actor) }),
      }),
      create: change('invitation.create'),
      revoke: change('invitation.revoke'),
      state: state('invites:read'),
    },
  }),
  defineTool({
    name: 'approvals',
    title: 'Approvals',
    description: `List the accounts awaiting approval, and approve or reject them. ${HOW}`,
    onlyGranted: true,
    destructive: true,
    output: untrustedOutput({ waiting: z.array(PendingUser).optional(), ...changeOutput }),
    operations: {
      list: operation({
        permission: 'mcp:admin',
        besides: 'users:read',
        input: z.object({}),
        run: async (ctx, actor) =>
          untrusted({ success: true, waiting: await getPendingUsers(ctx, actor) }),
      }),
      approve: change('account.approve'),
      reject: change('account.reject'),
      state: state('users:read'),
    },
  }),
]
