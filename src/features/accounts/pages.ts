import type { z } from 'zod'
import type { Ctx } from '../../context.ts'
import { readForm } from '../../http/body.ts'
import { defineRawRoute } from '../../http/define-route.ts'
import { statusOf } from '../../http/on-error.ts'
import { alert, BLAMED, html, type Problem, page } from '../../http/page.ts'
import { PAGE_TEXTS } from '../../http/page-text.ts'
import { AppError } from '../../platform/errors.ts'
import type { Language } from '../../platform/language.ts'
import { type Actor, languageOf } from '../../policy/actor.ts'
import { requireOpenInvitation } from '../invites/service.ts'
import { ACCOUNT_TEXTS, type AccountText } from './account-text.ts'
import { verifyEmail } from './email-verification.ts'
import { accountErrors } from './errors.ts'
import { routes as linkRequestRoutes } from './link-request-pages.ts'
import { requireResetLink, resetPassword } from './password-reset.ts'
import { Register, ResetPassword, type VerifyEmail } from './schema.ts'
import { register } from './service.ts'

const MAX_FORM_BYTES = 16 * 1024

/** The pages behind invitations and the links in letters. Plain, and without scripts. */
export const routes = [
  ...linkRequestRoutes,
  defineRawRoute({
    method: 'get',
    path: '/',
    summary: 'The front page',
    permission: 'public',
    rate: 'unlimited',
    refusal: 'page',
    respond: ({ config }, actor) => {
      const language = languageOf(actor)
      const texts = ACCOUNT_TEXTS[language]
      return page(
        'Mimir',
        html`<p>${texts.front}</p>
<p><a href="${config.pathPrefix}/auth/account">${texts.manage}</a></p>`,
        { language },
      )
    },
  }),
  defineRawRoute({
    method: 'get',
    path: '/join/{token}',
    summary: 'The page of an invitation link',
    permission: 'public',
    rate: 'unlimited',
    refusal: 'page',
    respond: async (ctx, actor, { params }) => {
      const language = languageOf(actor)
      try {
        const invitation = await requireOpenInvitation(ctx, params.token ?? '')
        return joinPage(language, { expiresAt: invitation.expiresAt })
      } catch (error) {
        return notInvitedPage(language, error)
      }
    },
  }),
  defineRawRoute({
    method: 'post',
    path: '/join/{token}',
    summary: 'Register with the form of the invitation page',
    permission: 'public',
    rate: 'auth-register',
    refusal: 'page',
    respond: async (ctx, actor, { request, params }) => {
      const language = languageOf(actor)
      const texts = ACCOUNT_TEXTS[language]
      const form = await readForm(request, MAX_FORM_BYTES)
      const parsed = Register.safeParse({ ...form, invitationToken: params.token })
      if (!parsed.success) {
        return joinPage(language, { form, ...describe(texts, parsed.error) })
      }
      try {
        const { status } = await register(ctx, actor, parsed.data)
        return page(
          texts.registered,
          html`<p>${texts.welcome} <strong>${parsed.data.username}</strong>.</p>
<p>${status === 'PendingEmail' ? texts.nowConfirm : texts.nowWait}</p>
<p>${texts.thenSignIn} <code>${ctx.config.publicUrl}</code></p>`,
          { language },
        )
      } catch (error) {
        if (isMendable(error)) return joinPage(language, { form, problem: error })
        return notInvitedPage(language, error)
      }
    },
  }),
  defineRawRoute({
    method: 'get',
    path: '/verify-email',
    summary: 'The page of a confirmation link',
    permission: 'public',
    rate: 'auth-verify',
    changes: true,
    refusal: 'page',
    respond: (ctx, actor, { request }) => {
      const token = new URL(request.url).searchParams.get('token') ?? undefined
      return emailVerifiedPage(ctx, actor, { token })
    },
  }),
  defineRawRoute({
    method: 'get',
    path: '/reset-password',
    summary: 'The page of a link for a new password',
    permission: 'public',
    rate: 'auth-verify',
    refusal: 'page',
    respond: async (ctx, actor, { request }) => {
      const language = languageOf(actor)
      try {
        await requireResetLink(ctx, tokenOf(request))
        return resetPage(language)
      } catch (error) {
        return refusedLink(ctx, language, error, '/forgot-password')
      }
    },
  }),
  defineRawRoute({
    method: 'post',
    path: '/reset-password',
    summary: 'Set a new password with the form of the page',
    permission: 'public',
    rate: 'auth-reset-password',
    refusal: 'page',
    respond: async (ctx, actor, { request }) => {
      const language = languageOf(actor)
      const texts = ACCOUNT_TEXTS[language]
      const form = await readForm(request, MAX_FORM_BYTES)
      const token = tokenOf(request)
      try {
        await requireResetLink(ctx, token)
        const parsed = ResetPassword.safeParse({ token, newPassword: form.newPassword })
        if (!parsed.success) return resetPage(language, texts.badPassword)
        await resetPassword(ctx, actor, parsed.data)
        return page(texts.passwordChanged, html`<p>${texts.signedOut}</p>`, { language })
      } catch (error) {
        if (isMendable(error)) return resetPage(language, error)
        return refusedLink(ctx, language, error, '/forgot-password')
      }
    },
  }),
]

/** Confirms the address and shows the outcome on a page. */
export async function emailVerifiedPage(
  ctx: Pick<Ctx, 'config' | 'db' | 'clock' | 'ids' | 'mailer' | 'log'>,
  actor: Actor,
  input: VerifyEmail,
): Promise<Response> {
  const language = languageOf(actor)
  const texts = ACCOUNT_TEXTS[language]
  try {
    // An account awaiting approval is new; any other has just changed its address.
    const { status } = await verifyEmail(ctx, actor, input)
    const done = status === 'PendingAdmin' ? texts.confirmed : texts.emailChanged
    return await page(texts.thanks, html`<p>${done}</p>`, { language })
  } catch (error) {
    return refusedLink(ctx, language, error, '/resend-verification')
  }
}

/** Errors that the person can correct in the form. */
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

/** The form posts to the URL of the link itself, which carries the token. */
function resetPage(language: Language, problem?: Problem): Promise<Response> {
  const texts = ACCOUNT_TEXTS[language]
  return page(
    texts.setPassword,
    html`${alert(problem, language)}
<form method="post">
<label>${texts.newPassword}
<input name="newPassword" type="password" required minlength="8" maxlength="72" autocomplete="new-password"${problem ? BLAMED : ''}>
<small>${texts.passwordRule}</small></label>
<button>${texts.set}</button>
</form>`,
    { language, status: problem ? 400 : 200 },
  )
}

type JoinField = 'username' | 'email' | 'password'

interface JoinForm {
  readonly form?: Readonly<Record<string, string>>
  readonly problem?: Problem
  /** The field that the problem is about. */
  readonly blamed?: JoinField
  readonly expiresAt?: string
}

function joinPage(
  language: Language,
  { form = {}, problem, blamed, expiresAt }: JoinForm,
): Promise<Response> {
  const texts = ACCOUNT_TEXTS[language]
  const mark = (field: JoinField) => (field === blamed ? BLAMED : '')
  return page(
    texts.invited,
    html`${alert(problem, language)}
<p>${texts.makeAccount}</p>
<form method="post">
<label>${texts.username}
<input name="username" required minlength="3" maxlength="50" pattern="[A-Za-z0-9_]+" autocomplete="username" autocapitalize="none" spellcheck="false" value="${form.username ?? ''}"${mark('username')}>
<small>${texts.usernameRule}</small></label>
<label>${texts.email}
<input name="email" type="email" required maxlength="254" autocomplete="email" value="${form.email ?? ''}"${mark('email')}></label>
<label>${texts.password}
<input name="password" type="password" required minlength="8" maxlength="72" autocomplete="new-password"${mark('password')}>
<small>${texts.passwordRule}</small></label>
<button>${texts.join}</button>
</form>
${expiresAt ? html`<p><small>${texts.openUntil(expiresAt.slice(0, 10))}</small></p>` : ''}`,
    { language, status: problem ? 400 : 200 },
  )
}

function describe(texts: AccountText, error: z.ZodError): Pick<JoinForm, 'problem' | 'blamed'> {
  const names = new Set(error.issues.map((issue) => issue.path[0]))
  if (names.has('username')) return { problem: texts.badUsername, blamed: 'username' }
  if (names.has('email')) return { problem: texts.badEmail, blamed: 'email' }
  if (names.has('password')) return { problem: texts.badPassword, blamed: 'password' }
  return { problem: texts.badForm }
}

function notInvitedPage(language: Language, error: unknown): Promise<Response> {
  return refusedPage(language, error, html`<p>${ACCOUNT_TEXTS[language].newInvitation}</p>`)
}

function refusedPage(
  language: Language,
  error: unknown,
  advice: ReturnType<typeof html> | '' = '',
): Promise<Response> {
  if (!(error instanceof AppError)) throw error
  const status = statusOf(error.kind)
  const body = html`${alert(error, language)}
${advice}`
  return page(PAGE_TEXTS[language].refused, body, { language, status })
}

/** The same for a link from a letter, with the way to a new one. */
function refusedLink(
  { config, mailer }: Pick<Ctx, 'config' | 'mailer'>,
  language: Language,
  error: unknown,
  path: '/forgot-password' | '/resend-verification',
): Promise<Response> {
  const isOver =
    error instanceof AppError && error.code === accountErrors.invalidOrExpiredToken.code
  if (!isOver || !mailer) return refusedPage(language, error)
  const { sendNewLink } = ACCOUNT_TEXTS[language]
  const link = html`<p><a href="${config.pathPrefix}${path}">${sendNewLink}</a></p>`
  return refusedPage(language, error, link)
}
