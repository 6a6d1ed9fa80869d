import type { z } from 'zod'
import { readForm } from '../../http/body.ts'
import { defineRawRoute } from '../../http/define-route.ts'
import { statusOf } from '../../http/on-error.ts'
import { html, page } from '../../http/page.ts'
import { AppError } from '../../platform/errors.ts'
import { requireOpenInvitation } from '../invites/service.ts'
import { verifyEmail } from './email-verification.ts'
import { accountErrors } from './errors.ts'
import { requireResetLink, resetPassword } from './password-reset.ts'
import { Register, ResetPassword } from './schema.ts'
import { register } from './service.ts'

const MAX_FORM_BYTES = 16 * 1024

/** The pages that an invitation link and a confirmation link open. Plain, and without script. */
export const routes = [
  defineRawRoute({
    method: 'get',
    path: '/',
    summary: 'Where one has arrived',
    permission: 'public',
    rate: 'unlimited',
    respond: () =>
      page(
        'Mimir',
        html`<p>This is a private messaging server. To join, open the invitation link that you were given.</p>`,
      ),
  }),
  defineRawRoute({
    method: 'get',
    path: '/join/{token}',
    summary: 'The page of an invitation link',
    permission: 'public',
    rate: 'unlimited',
    respond: async (ctx, _actor, { params }) => {
      try {
        const invitation = await requireOpenInvitation(ctx, params.token ?? '')
        return joinPage({ expiresAt: invitation.expiresAt })
      } catch (error) {
        return refusedPage(error)
      }
    },
  }),
  defineRawRoute({
    method: 'post',
    path: '/join/{token}',
    summary: 'Registers with the form of the invitation page',
    permission: 'public',
    rate: 'auth-register',
    respond: async (ctx, actor, { request, params }) => {
      const form = await readForm(request, MAX_FORM_BYTES)
      const parsed = Register.safeParse({ ...form, invitationToken: params.token })
      if (!parsed.success) return joinPage({ form, problem: describe(parsed.error) })
      try {
        const registered = await register(ctx, actor, parsed.data)
        return page(
          'You are registered',
          html`<p>Welcome, <strong>${parsed.data.username}</strong>.</p>
<p>${registered.message}</p>
<p>Then sign in with the Mimir app: the server is <code>${ctx.config.publicUrl}</code></p>`,
        )
      } catch (error) {
        if (isMendable(error)) return joinPage({ form, problem: error.message })
        return refusedPage(error)
      }
    },
  }),
  defineRawRoute({
    method: 'get',
    path: '/verify-email',
    summary: 'The page of a confirmation link',
    permission: 'public',
    rate: 'auth-verify',
    respond: async (ctx, actor, { request }) => {
      const token = new URL(request.url).searchParams.get('token') ?? undefined
      try {
        const { message } = await verifyEmail(ctx, actor, { token })
        return page('Thank you', html`<p>${message}</p>`)
      } catch (error) {
        return refusedPage(error)
      }
    },
  }),
  defineRawRoute({
    method: 'get',
    path: '/reset-password',
    summary: 'The page of a link for a new password',
    permission: 'public',
    rate: 'auth-verify',
    respond: async (ctx, _actor, { request }) => {
      try {
        await requireResetLink(ctx, tokenOf(request))
        return resetPage()
      } catch (error) {
        return refusedPage(error)
      }
    },
  }),
  defineRawRoute({
    method: 'post',
    path: '/reset-password',
    summary: 'Sets a new password with the form of the page',
    permission: 'public',
    rate: 'auth-reset-password',
    respond: async (ctx, actor, { request }) => {
      const form = await readForm(request, MAX_FORM_BYTES)
      const token = tokenOf(request)
      try {
        await requireResetLink(ctx, token)
        const parsed = ResetPassword.safeParse({ token, newPassword: form.newPassword })
        if (!parsed.success) return resetPage('The password needs 8 to 72 bytes.')
        await resetPassword(ctx, actor, parsed.data)
        return page(
          'Your password is changed',
          html`<p>Every device was signed out: sign in with the new password.</p>`,
        )
      } catch (error) {
        if (isMendable(error)) return resetPage(error.message)
        return refusedPage(error)
      }
    },
  }),
]

/** What the person can put right in the form. */
function isMendable(error: unknown): error is AppError {
  const codes: string[] = [
    accountErrors.registrationFailed.code,
    accountErrors.passwordTooCommon.code,
  ]
  return error instanceof AppError && codes.includes(error.code)
}

function tokenOf(request: Request): string {
  return new URL(request.url).searchParams.get('token') ?? ''
}

/** The form goes back to the link itself, whose token it is made for. */
function resetPage(problem?: string): Promise<Response> {
  return page(
    'Set a new password',
    html`${problem ? html`<p role="alert">${problem}</p>` : ''}
<form method="post">
<label>New password
<input name="newPassword" type="password" required minlength="8" maxlength="72" autocomplete="new-password">
<small>at least 8 characters</small></label>
<button>Set the password</button>
</form>`,
    { status: problem ? 400 : 200 },
  )
}

interface JoinForm {
  readonly form?: Readonly<Record<string, string>>
  readonly problem?: string
  readonly expiresAt?: string
}

function joinPage({ form = {}, problem, expiresAt }: JoinForm): Promise<Response> {
  return page(
    'You are invited to Mimir',
    html`${problem ? html`<p role="alert">${problem}</p>` : ''}
<p>Make your account. An administrator will then let you in.</p>
<form method="post">
<label>Username
<input name="username" required minlength="3" maxlength="50" pattern="[A-Za-z0-9_]+" autocomplete="username" value="${form.username ?? ''}">
<small>3 to 50 letters, digits and underscores</small></label>
<label>E-mail
<input name="email" type="email" required maxlength="254" autocomplete="email" value="${form.email ?? ''}"></label>
<label>Password
<input name="password" type="password" required minlength="8" maxlength="72" autocomplete="new-password">
<small>at least 8 characters</small></label>
<button>Join</button>
</form>
${expiresAt ? html`<p><small>The invitation is for one person and is open until ${expiresAt.slice(0, 10)}.</small></p>` : ''}`,
    { status: problem ? 400 : 200 },
  )
}

function describe(error: z.ZodError): string {
  const names = new Set(error.issues.map((issue) => issue.path[0]))
  if (names.has('username')) return 'The username needs 3 to 50 letters, digits or underscores.'
  if (names.has('email')) return 'This is not an e-mail address.'
  if (names.has('password')) return 'The password needs 8 to 72 bytes.'
  return 'Something in the form is not valid.'
}

function refusedPage(error: unknown): Promise<Response> {
  if (!(error instanceof AppError)) throw error
  return page('This does not work', html`<p role="alert">${error.message}</p>`, {
    status: statusOf(error.kind),
  })
}
