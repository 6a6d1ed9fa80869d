import { defineRoute } from '../../http/define-route.ts'
import { inviteErrors } from '../invites/errors.ts'
import { resendVerification, verifyEmail } from './email-verification.ts'
import { accountErrors } from './errors.ts'
import {
  EmailVerified,
  FriendKey,
  Me,
  Register,
  Registered,
  ResendVerification,
  VerifyEmail,
} from './schema.ts'
import { getMe, regenerateFriendKey, register } from './service.ts'

export const routes = [
  defineRoute({
    method: 'post',
    path: '/api/auth/register',
    summary: 'Make an account with an invitation',
    permission: 'public',
    rate: 'auth-register',
    body: Register,
    status: 200,
    output: Registered,
    errors: [inviteErrors.invalidOrExpired, accountErrors.registrationFailed],
    run: register,
  }),
  defineRoute({
    method: 'get',
    path: '/api/auth/verify-email',
    summary: 'Confirm an e-mail address with the link that was sent to it',
    permission: 'public',
    rate: 'auth-verify',
    query: VerifyEmail,
    status: 200,
    output: EmailVerified,
    errors: [
      accountErrors.missingToken,
      accountErrors.invalidOrExpiredToken,
      accountErrors.invalidState,
    ],
    run: verifyEmail,
  }),
  defineRoute({
    method: 'post',
    path: '/api/auth/resend-verification',
    summary: 'Send the confirmation link again; never tells whether the address is known',
    permission: 'public',
    rate: 'auth-resend',
    body: ResendVerification,
    status: 202,
    output: null,
    run: resendVerification,
  }),
  defineRoute({
    method: 'get',
    path: '/api/me',
    summary: 'Your account',
    permission: 'signed-in',
    rate: 'unlimited',
    status: 200,
    output: Me,
    run: getMe,
  }),
  defineRoute({
    method: 'post',
    path: '/api/me/regenerate-friend-key',
    summary: 'Replace your friend key; the old one stops working',
    permission: 'signed-in',
    rate: 'unlimited',
    status: 200,
    output: FriendKey,
    run: regenerateFriendKey,
  }),
]
