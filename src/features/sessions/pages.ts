import { defineRawRoute } from '../../http/define-route.ts'
import { html, page } from '../../http/page.ts'

/** The page for a device that has no app which opens the link itself. It uses no code up. */
export const routes = [
  defineRawRoute({
    method: 'get',
    path: '/link-device',
    summary: 'The page of a link that signs another device in',
    permission: 'public',
    rate: 'unlimited',
    respond: async (ctx, _actor, { request }) => {
      const code = new URL(request.url).searchParams.get('code') ?? ''
      return page(
        'Sign this device in',
        html`<p>Open this link with the Mimir app, or enter the code there within two minutes. The server is <code>${ctx.config.publicUrl}</code></p>
${/^[\w-]{22}$/.test(code) ? html`<p>The code is <code>${code}</code></p>` : ''}
<p><small>Whoever has the code can sign in as you. Give it to nobody.</small></p>`,
      )
    },
  }),
]
