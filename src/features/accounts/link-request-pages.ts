import type { Ctx } from '../../context.ts'
import { readForm } from '../../http/body.ts'
import { defineRawRoute, type RawRoute } from '../../http/define-route.ts'
import { alert, BLAMED, html, type Problem, page } from '../../http/page.ts'
import type { Language } from '../../platform/language.ts'
import { type Actor, languageOf } from '../../policy/actor.ts'
import type { RateClass } from '../../policy/rate-classes.ts'
import { ACCOUNT_TEXTS } from './account-text.ts'
import { resendVerification } from './email-verification.ts'
import { forgotPassword } from './password-reset.ts'
import { ForgotPassword } from './schema.ts'

const MAX_FORM_BYTES = 4 * 1024

/** A kind of link that people can ask for. */
interface LinkRequest {
  readonly path: '/forgot-password' | '/resend-verification'
  readonly title: Title
  readonly rate: RateClass
  /** Who asks. */
  readonly people: string
  ask(ctx: Ctx, actor: Actor, input: ForgotPassword): Promise<void>
}

type Title = 'forgotten' | 'confirmAddress'

/** The pages on which people ask for a link if their app cannot do it. Plain, and without scripts. */
export const routes = [
  ...pagesOf({
    path: '/forgot-password',
    title: 'forgotten',
    rate: 'auth-forgot-password',
    people: 'who forgot their password',
    ask: forgotPassword,
  }),
  ...pagesOf({
    path: '/resend-verification',
    title: 'confirmAddress',
    rate: 'auth-resend',
    people: 'whose confirmation link did not arrive or has expired',
    ask: resendVerification,
  }),
]

function pagesOf({ path, title, rate, people, ask }: LinkRequest): RawRoute[] {
  return [
    defineRawRoute({
      method: 'get',
      path,
      summary: `The page for people ${people}`,
      permission: 'public',
      rate: 'unlimited',
      refusal: 'page',
      respond: (ctx, actor) => askPage(ctx, languageOf(actor), title),
    }),
    defineRawRoute({
      method: 'post',
      path,
      summary: `Send a link to people ${people}, with the form of the page`,
      permission: 'public',
      rate,
      refusal: 'page',
      respond: async (ctx, actor, { request }) => {
        const language = languageOf(actor)
        const parsed = ForgotPassword.safeParse(await readForm(request, MAX_FORM_BYTES))
        if (!parsed.success) return askPage(ctx, language, title, ACCOUNT_TEXTS[language].badEmail)
        await ask(ctx, actor, parsed.data)
        return ctx.mailer ? sentPage(language) : askPage(ctx, language, title)
      },
    }),
  ]
}

function askPage(
  { mailer }: Pick<Ctx, 'mailer'>,
  language: Language,
  title: Title,
  problem?: Problem,
): Promise<Response> {
  const texts = ACCOUNT_TEXTS[language]
  if (!mailer) return page(texts[title], html`<p>${texts.noMail}</p>`, { language })
  return page(
    texts[title],
    html`${alert(problem, language)}
<p>${texts.linkIsSent}</p>
<form method="post">
<label>${texts.email}
<input name="email" type="email" required maxlength="254" autocomplete="email"${problem ? BLAMED : ''}></label>
<button>${texts.sendLink}</button>
</form>`,
    { language, status: problem ? 400 : 200 },
  )
}

/** The same whether or not there is such an account. */
function sentPage(language: Language): Promise<Response> {
  const texts = ACCOUNT_TEXTS[language]
  return page(texts.readMail, html`<p>${texts.linkWasSent}</p>`, { language })
}
