import { defineXrpcMethod } from '../../../xrpc/define-method.ts'
import { addMembers } from '../groups/add-members.ts'
import { createConvo } from '../groups/create.ts'
import { processExternalCommit } from '../groups/external.ts'
import { getGroupInfo, updateGroupInfo } from '../groups/group-info.ts'
import { leaveConvo } from '../groups/leave.ts'
import { getConvos, getEpoch } from '../groups/list.ts'
import { removeMember } from '../groups/remove.ts'
import type {
  AddMembers,
  ConvoId,
  CreateConvo,
  ExternalCommit,
  LeaveConvo,
  RemoveMember,
} from '../schema.ts'

const id = (name: string) => `blue.catbird.mls.${name}`
const permission = 'mls:use'

/** Enough for a commit that adds 1000 devices, with its Welcome and GroupInfo. */
const LARGE = 16 * 1024 * 1024

export const methods = [
  defineXrpcMethod<CreateConvo>({
    nsid: id('createConvo'),
    permission,
    rate: 'mls-create',
    maxBodyBytes: LARGE,
    run: (ctx, actor, input, { bodyHash }) => createConvo(ctx, actor, input, bodyHash),
  }),
  defineXrpcMethod<AddMembers>({
    nsid: id('addMembers'),
    permission,
    rate: 'mls-commit',
    maxBodyBytes: LARGE,
    run: (ctx, actor, input, { bodyHash }) => addMembers(ctx, actor, input, bodyHash),
  }),
  defineXrpcMethod<RemoveMember>({
    nsid: id('removeMember'),
    permission,
    rate: 'mls-commit',
    maxBodyBytes: LARGE,
    async run(ctx, actor, input, { bodyHash }) {
      const once = { method: 'removeMember', bodyHash }
      const { epoch } = await removeMember(ctx, actor, input, once)
      return { ok: true, epochHint: epoch }
    },
  }),
  defineXrpcMethod<LeaveConvo>({
    nsid: id('leaveConvo'),
    permission,
    rate: 'mls-other',
    maxBodyBytes: LARGE,
    run: (ctx, actor, input, { bodyHash }) => leaveConvo(ctx, actor, input, bodyHash),
  }),
  defineXrpcMethod<ExternalCommit>({
    nsid: id('processExternalCommit'),
    permission,
    rate: 'mls-other',
    maxBodyBytes: LARGE,
    run: (ctx, actor, input, { bodyHash }) => processExternalCommit(ctx, actor, input, bodyHash),
  }),
  defineXrpcMethod<{ limit: number; cursor?: string }>({
    nsid: id('getConvos'),
    permission,
    rate: 'mls-read',
    run: getConvos,
  }),
  defineXrpcMethod<ConvoId>({
    nsid: id('getEpoch'),
    permission,
    rate: 'mls-read',
    run: getEpoch,
  }),
  defineXrpcMethod<ConvoId & { psk?: string }>({
    nsid: id('getGroupInfo'),
    permission,
    rate: 'mls-other',
    run: getGroupInfo,
  }),
  defineXrpcMethod<ConvoId & { groupInfo: string; epoch: number }>({
    nsid: id('updateGroupInfo'),
    permission,
    rate: 'mls-other',
    maxBodyBytes: LARGE,
    run: updateGroupInfo,
  }),
]
