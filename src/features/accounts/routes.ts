import { defineRoute } from '../../http/define-route.ts'
import { wantsPage } from '../../http/refusal-page.ts'
import { avatarErrors } from '../attachments/errors.ts'
import { inviteErrors } from '../invites/errors.ts'
import { changeEmail } from './email-change.ts'
import { resendVerification, verifyEmail } from './email-verification.ts'
import { accountErrors } from './errors.ts'
import { emailVerifiedPage } from './pages.ts'
import { forgotPassword, resetPassword } from './password-reset.ts'
import { updateMe } from './profile.ts'
import {
  ChangeEmail,
  EmailVerified,
  ForgotPassword,
  FriendKey,
  Me,
  Register,
  Registered,
  ResendVerification,
  ResetPassword,
  UpdateMe,
  VerifyEmail,
} from './schema.ts'
import { getMe, regenerateFriendKey, register } from './service.ts'

export const routes = [
  defineRoute({
    method: 'post',
    path: '/api/auth/register',
    summary: 'Create an account with an invitation',
    permission: 'public',
    rate: 'auth-register',
    body: Register,
    status: 200,
    output: Registered,
    errors: [
      inviteErrors.invalidOrExpired,
      accountErrors.registrationFailed,
      accountErrors.passwordTooCommon,
    ],
    run: register,
  }),
  defineRoute({
    method: 'get',
    path: '/api/auth/verify-email',
    summary: 'Confirm an e-mail address with the link that was sent to it; a browser gets a page',
    permission: 'public',
    rate: 'auth-verify',
    changes: true,
    query: VerifyEmail,
    refusal: 'page',
    status: 200,
    output: EmailVerified,
    errors: [
      accountErrors.missingToken,
      accountErrors.invalidOrExpiredToken,
      accountErrors.invalidState,
    ],
    run: (ctx, actor, input, request) =>
      wantsPage(request) ? emailVerifiedPage(ctx, actor, input) : verifyEmail(ctx, actor, input),
  }),
  defineRoute({
    method: 'post',
    path: '/api/auth/resend-verification',
    summary: 'Send the confirmation link again; never reveals whether the address is known',
    permission: 'public',
    rate: 'auth-resend',
    body: ResendVerification,
    alwaysDone: true,
    status: 202,
    output: null,
    run: resendVerification,
  }),
  defineRoute({
    method: 'post',
    path: '/api/auth/forgot-password',
    summary: 'Send a link for a new password; never reveals whether the address is known',
    permission: 'public',
    rate: 'auth-forgot-password',
    body: ForgotPassword,
    status: 202,
    output: null,
    run: forgotPassword,
  }),
  defineRoute({
    method: 'post',
    path: '/api/auth/reset-password',
    summary: 'Set a new password with the link that was sent; every session ends',
    permission: 'public',
    rate: 'auth-reset-password',
    body: ResetPassword,
    status: 204,
    output: null,
    errors: [accountErrors.invalidOrExpiredToken, accountErrors.passwordTooCommon],
    run: resetPassword,
  }),
  defineRoute({
    method: 'patch',
    path: '/api/me',
    summary: 'Change your display name, avatar or phone number',
    permission: 'signed-in',
    rate: 'profile-change',
    body: UpdateMe,
    status: 200,
    output: Me,
    errors: avatarErrors,
    run: updateMe,
  }),
  defineRoute({
    method: 'put',
    path: '/api/me/email',
    summary: 'Change your e-mail address; it takes effect once the link sent to it is opened',
    permission: 'signed-in',
    rate: 'email-change',
    body: ChangeEmail,
    status: 202,
    output: null,
    errors: [accountErrors.currentPasswordIncorrect, accountErrors.noMailServer],
    run: changeEmail,
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
