import { defineXrpcMethod } from '../../../xrpc/define-method.ts'
import {
  createInvite,
  demoteAdmin,
  promoteAdmin,
  revokeInvite,
  updatePolicy,
} from '../groups/administer.ts'
import { getReports, reportMember, resolveReport } from '../groups/reports.ts'
import type {
  ConvoId,
  CreateInvite,
  GetReports,
  ReportMember,
  Target,
  UpdatePolicy,
} from '../schema.ts'

const id = (name: string) => `blue.catbird.mls.${name}`
const permission = 'mls:use'

export const methods = [
  defineXrpcMethod<Target>({
    nsid: id('promoteAdmin'),
    permission,
    rate: 'mls-other',
    run: promoteAdmin,
  }),
  defineXrpcMethod<Target>({
    nsid: id('demoteAdmin'),
    permission,
    rate: 'mls-other',
    run: demoteAdmin,
  }),
  defineXrpcMethod<UpdatePolicy>({
    nsid: id('updatePolicy'),
    permission,
    rate: 'mls-other',
    run: updatePolicy,
  }),
  defineXrpcMethod<CreateInvite>({
    nsid: id('createInvite'),
    permission,
    rate: 'invite-create',
    run: createInvite,
  }),
  defineXrpcMethod<ConvoId & { inviteId: string }>({
    nsid: id('revokeInvite'),
    permission,
    rate: 'mls-other',
    run: revokeInvite,
  }),
  defineXrpcMethod<ReportMember>({
    nsid: id('reportMember'),
    permission,
    rate: 'mls-report',
    maxBodyBytes: 128 * 1024,
    run: (ctx, actor, input, { bodyHash }) => reportMember(ctx, actor, input, bodyHash),
  }),
  defineXrpcMethod<GetReports>({
    nsid: id('getReports'),
    permission,
    rate: 'mls-other',
    run: getReports,
  }),
  defineXrpcMethod<{ reportId: string; action: string; notes?: string }>({
    nsid: id('resolveReport'),
    permission,
    rate: 'mls-other',
    run: resolveReport,
  }),
]
