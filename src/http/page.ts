import { createHash } from 'node:crypto'
import { html, raw } from 'hono/html'
import type { ErrorDefinition } from '../platform/errors.ts'
import type { Language } from '../platform/language.ts'
import { PAGE_TEXTS } from './page-text.ts'

type Html = ReturnType<typeof html>

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 26rem; margin: 3rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; }
h2 { font-size: 1.15rem; margin-top: 2rem; }
label { display: block; margin-top: 1rem; }
input { display: block; width: 100%; box-sizing: border-box; padding: .5rem; font: inherit; }
input[type=checkbox] { display: inline; width: auto; }
button { margin-top: 1.5rem; padding: .6rem 1.2rem; font: inherit; cursor: pointer; }
small { display: block; opacity: .75; }
[role=alert] { border-left: 4px solid #c33; padding-left: .75rem; }
code { word-break: break-all; }
`

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

/** Allows the shared style and the page's own script by hash, and no other style or script. */
function policy({ script, formsLeadTo }: PageOptions): string {
  return [
    "default-src 'none'",
    `style-src ${hashOf(STYLE)}`,
    ...(script === undefined ? [] : [`script-src ${hashOf(script)}`, "connect-src 'self'"]),
    `form-action 'self'${formsLeadTo === undefined ? '' : ` ${sourceOf(formsLeadTo)}`}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** The address as a CSP source (CSP 3 §2.3.1): its scheme alone where the host is an IPv6 address. */
function sourceOf(address: string): string {
  const { protocol, host } = new URL(address)
  const isNamed = /^https?:$/.test(protocol) && !host.startsWith('[')
  return isNamed ? `${protocol}//${host}` : protocol
}

export interface PageOptions {
  readonly status?: number
  /** Lines of `Set-Cookie`. */
  readonly cookies?: readonly string[]
  /** Where the page redirects the browser at once. */
  readonly goTo?: string
  /** Set if its forms require our own origin; its address must hold no secret. */
  readonly tellsOrigin?: true
  /** An external address to which a form of the page may redirect. */
  readonly formsLeadTo?: string
  readonly language: Language
  /** Source of an ES module to inline. */
  readonly script?: string
}

/** A plain page. `body` comes from `html`, which escapes its values. */
export async function page(title: string, body: Html, options: PageOptions): Promise<Response> {
  const { status = 200, cookies = [], goTo, script, tellsOrigin, language } = options
  const document = await html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${goTo === undefined ? '' : html`<meta http-equiv="refresh" content="0; url=${goTo}">`}
<title>${title}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
${script === undefined ? '' : html`<script type="module">${raw(script)}</script>`}
</body>
</html>`
  const headers = new Headers({
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy(options),
    vary: 'Accept-Language',
  })
  // Otherwise browsers would not send the origin of a form; other sites still get no referrer.
  if (tellsOrigin) headers.set('referrer-policy', 'same-origin')
  for (const cookie of cookies) headers.append('set-cookie', cookie)
  return new Response(document.toString(), { status, headers })
}

/** A page that only redirects: to set a cookie with a 200, or to leave this site after a form. */
export function movingOn(
  language: Language,
  goTo: string,
  cookies: readonly string[] = [],
): Promise<Response> {
  const texts = PAGE_TEXTS[language]
  const link = html`<p><a href="${goTo}">${texts.goOn}</a></p>`
  return page(texts.oneMoment, link, { language, goTo, cookies })
}

/** A sentence in the language of the page, or a refusal, which may exist in English only. */
export type Problem = string | Pick<ErrorDefinition, 'message' | 'translated'>

/** Attributes of the field that the page's problem is about: screen readers read it out there. */
export const BLAMED = raw(' aria-invalid="true" aria-describedby="problem" autofocus')

/** Renders the problem, if any; a message that exists in English only is marked as English. */
export function alert(problem: Problem | undefined, language: Language): Html | '' {
  if (problem === undefined) return ''
  if (typeof problem === 'string') return html`<p id="problem" role="alert">${problem}</p>`
  if (language === 'en') return html`<p id="problem" role="alert">${problem.message}</p>`
  const text = problem.translated?.[language]
  return text === undefined
    ? html`<p id="problem" role="alert" lang="en">${problem.message}</p>`
    : html`<p id="problem" role="alert">${text}</p>`
}

export { html, raw } from 'hono/html'
