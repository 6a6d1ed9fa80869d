import type { Ctx } from '../../context.ts'
import { readForm } from '../../http/body.ts'
import { defineRawRoute } from '../../http/define-route.ts'
import { html, page, raw } from '../../http/page.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, languageOf, requireUser } from '../../policy/actor.ts'
import { mfaErrors } from '../mfa/errors.ts'
import { requireFreshProof } from '../mfa/service.ts'
import type { Client } from './client.ts'
import { type Choice, choicesFor, grantConsent } from './consent.ts'
import { CONSENT_TEXTS, type ConsentText } from './consent-text.ts'
import { getGrants, revokeGrant } from './grants.ts'
import { UNUSED_DAYS } from './issue.ts'
import { isOnThisDevice } from './redirect-uri.ts'
import { type AuthorizationRequest, readRequest, refusalAt } from './request.ts'
import { OAuthGrantId, SCOPES } from './schema.ts'

const MAX_FORM_BYTES = 16 * 1024

/** Where users grant and revoke an AI client's access. Plain HTML without scripts. */
export const routes = [
  defineRawRoute({
    method: 'get',
    path: '/oauth/authorize',
    summary: 'The consent page for an AI client (RFC 6749)',
    permission: 'signed-in',
    rate: 'oauth-authorize',
    refusal: 'page',
    respond: async (ctx, actor, { request: { url } }) => {
      const { search, searchParams } = new URL(url)
      const asked = await readRequest(ctx, searchParams)
      const choices = await choicesFor(ctx, actor, asked)
      return (await toFreshSignIn(ctx, actor, search)) ?? consentPage(ctx, actor, asked, choices)
    },
  }),
  defineRawRoute({
    method: 'post',
    path: '/oauth/authorize',
    summary: 'Allow or deny an AI client',
    permission: 'signed-in',
    rate: 'oauth-authorize',
    stepUp: true,
    refusal: 'page',
    respond: async (ctx, actor, { request }) => {
      const form = await readForm(request, MAX_FORM_BYTES)
      // The URL still holds the request: it is validated again, so the form need not be trusted.
      const asked = await readRequest(ctx, new URL(request.url).searchParams)
      const ticked = SCOPES.filter((scope) => form[scope] === 'on')
      if (form.decision !== 'allow' || ticked.length === 0) {
        return goTo(refusalAt(ctx, asked))
      }
      return goTo(await grantConsent(ctx, actor, asked, ticked))
    },
  }),
  defineRawRoute({
    method: 'get',
    path: '/oauth/clients',
    summary: 'The page of the AI clients you have allowed',
    permission: 'signed-in',
    rate: 'unlimited',
    refusal: 'page',
    respond: (ctx, actor) => clientsPage(ctx, actor),
  }),
  defineRawRoute({
    method: 'post',
    path: '/oauth/clients',
    summary: 'Revoke an AI client with the form of the page',
    permission: 'signed-in',
    rate: 'unlimited',
    refusal: 'page',
    respond: async (ctx, actor, { request }) => {
      const input = OAuthGrantId.safeParse(await readForm(request, MAX_FORM_BYTES))
      if (!input.success) throw new AppError(commonErrors.notFound)
      await revokeGrant(ctx, actor, input.data)
      return goTo(`${ctx.config.pathPrefix}/oauth/clients`)
    },
  }),
]

/** After a form the browser continues with GET, whatever the method was (RFC 9700 §4.12). */
function goTo(location: string): Response {
  return new Response(null, { status: 303, headers: { location } })
}

/** Requires a recent sign-in first: what is granted here outlives the session. */
async function toFreshSignIn(
  ctx: Ctx,
  actor: Actor,
  search: string,
): Promise<Response | undefined> {
  try {
    await requireFreshProof(ctx, actor)
    return undefined
  } catch (error) {
    const isStale = error instanceof AppError && error.code === mfaErrors.stepUpRequired.code
    if (!isStale) throw error
    const { pathPrefix } = ctx.config
    const query = new URLSearchParams({
      return_to: `${pathPrefix}/oauth/authorize${search}`,
      fresh: '1',
    })
    return goTo(`${pathPrefix}/auth/sign-in?${query}`)
  }
}

function textsFor(actor: Actor): ConsentText {
  return CONSENT_TEXTS[languageOf(actor)]
}

function consentPage(
  { config }: Ctx,
  actor: Actor,
  { client, redirectUri }: AuthorizationRequest,
  choices: readonly Choice[],
): Promise<Response> {
  const texts = textsFor(actor)
  const { username } = requireUser(actor)
  return page(
    texts.title(client.name),
    html`<p>${whoIsIt(texts, client, redirectUri)}</p>
<p>${whereTo(texts, redirectUri)} ${texts.signedInAs(username)}</p>
<form method="post">
<fieldset><legend>${texts.mayDo}</legend>
${choices.map(
  ({ scope, isTicked }) =>
    html`<label><input type="checkbox" name="${scope}" value="on"${isTicked ? raw(' checked') : ''}> ${texts.scopes[scope]}</label>`,
)}
</fieldset>
<p>${texts.lasts(config.aiClientDays, UNUSED_DAYS)}</p>
<button name="decision" value="allow">${texts.allow}</button>
<button name="decision" value="deny">${texts.refuse}</button>
</form>
<p><small><a href="clients">${texts.takeBack}</a></small></p>
${signOutForm(config, texts)}`,
    { tellsOrigin: true, formsLeadTo: redirectUri, language: languageOf(actor) },
  )
}

function signOutForm({ pathPrefix }: Ctx['config'], { signOut }: ConsentText) {
  return html`<form method="post" action="${pathPrefix}/auth/logout"><button>${signOut}</button></form>`
}

/** A host vouches for a client only if the response goes back to a host. */
function whoIsIt(texts: ConsentText, { host }: Client, redirectUri: string): string {
  if (host === undefined) return texts.unvouched
  return redirectUri.startsWith('https:') ? texts.vouched(host) : texts.claimed(host)
}

function whereTo(texts: ConsentText, redirectUri: string): string {
  const url = new URL(redirectUri)
  if (isOnThisDevice(url)) return texts.toThisDevice
  return url.protocol === 'https:' ? texts.toHost(url.host) : texts.toApp(url.protocol)
}

async function clientsPage(ctx: Ctx, actor: Actor): Promise<Response> {
  const texts = textsFor(actor)
  const grants = await getGrants(ctx, actor)
  return page(
    texts.clients,
    html`${grants.length === 0 ? html`<p>${texts.none}</p>` : ''}
${grants.map(
  (grant) => html`<section><h2>${grant.clientName}</h2>
<p>${grant.clientHost ?? new URL(grant.redirectUri).host}, ${texts.lastUsed(grant.lastUsedAt.slice(0, 10))}, ${texts.until(grant.endsAt.slice(0, 10))}</p>
<ul>${SCOPES.filter((scope) => grant.scopes.includes(scope)).map(
    (scope) => html`<li>${texts.scopes[scope]}</li>`,
  )}</ul>
<form method="post"><input type="hidden" name="id" value="${grant.id}"><button>${texts.shutOut}</button></form></section>`,
)}
${signOutForm(ctx.config, texts)}`,
    { tellsOrigin: true, language: languageOf(actor) },
  )
}
