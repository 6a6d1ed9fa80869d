import { defineRawRoute } from '../../http/define-route.ts'
import { html, page } from '../../http/page.ts'
import { languageOf } from '../../policy/actor.ts'
import { LINK_TEXTS } from './link-text.ts'

/** The page for devices without an app that opens the link itself. Viewing it does not consume the code. */
export const routes = [
  defineRawRoute({
    method: 'get',
    path: '/link-device',
    summary: 'The page of a link that signs another device in',
    permission: 'public',
    rate: 'unlimited',
    refusal: 'page',
    respond: async (ctx, actor, { request }) => {
      const language = languageOf(actor)
      const texts = LINK_TEXTS[language]
      const code = new URL(request.url).searchParams.get('code') ?? ''
      return page(
        texts.signIn,
        html`<p>${texts.open} <code>${ctx.config.publicUrl}</code></p>
${/^[\w-]{22}$/.test(code) ? html`<p>${texts.code} <code>${code}</code></p>` : ''}
<p><small>${texts.keep}</small></p>`,
        { language },
      )
    },
  }),
]
