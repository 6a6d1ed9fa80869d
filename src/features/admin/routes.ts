import { z } from 'zod'
import { defineRoute } from '../../http/define-route.ts'
import { commonErrors } from '../../platform/errors.ts'
import { accountErrors } from '../accounts/errors.ts'
import { AccountId, Decide, PendingUser } from './schema.ts'
import { decide, getPendingUsers } from './service.ts'

export const routes = [
  defineRoute({
    method: 'get',
    path: '/api/admin/users/pending',
    summary: 'Accounts awaiting approval',
    permission: 'users:read',
    rate: 'unlimited',
    status: 200,
    output: z.array(PendingUser),
    run: getPendingUsers,
  }),
  defineRoute({
    method: 'post',
    path: '/api/admin/users/{id}/approve',
    summary: 'Approve, reject or suspend an account',
    permission: 'users:write',
    rate: 'unlimited',
    params: AccountId,
    body: Decide,
    status: 204,
    output: null,
    errors: [
      commonErrors.notFound,
      accountErrors.userNotPending,
      accountErrors.invalidDecision,
      accountErrors.lastAdmin,
      accountErrors.ownerAlone,
    ],
    run: decide,
  }),
]
