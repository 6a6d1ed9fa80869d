import assert from 'node:assert/strict'

export interface Page {
  readonly status: number
  readonly url: string
  readonly headers: Headers
  readonly text: string
}

type Form = Readonly<Record<string, string>>

/** A browser without scripts: keeps cookies by host, follows redirects and fills in forms. */
export class WebBrowser {
  /** By host with port, then name; real browsers ignore the port, which no test depends on. */
  readonly #cookies = new Map<string, Map<string, string>>()
  readonly #hops: string[] = []

  /** Every address it was redirected to, in order. */
  get hops(): readonly string[] {
    return this.#hops
  }

  cookie(url: string, name: string): string | undefined {
    return this.#jar(url).get(name)
  }

  setCookie(url: string, name: string, value: string): void {
    this.#jar(url).set(name, value)
  }

  /** Opens an address as if typed or reached by a link. */
  open(url: string, headers: Record<string, string> = {}): Promise<Page> {
    return this.follow(url, { headers })
  }

  /** Sends one request with the cookies; follows no redirects. */
  async request(url: string, init: RequestInit = {}): Promise<Page> {
    const jar = this.#jar(url)
    const headers = new Headers(init.headers)
    if (!headers.has('accept')) headers.set('accept', 'text/html')
    if (jar.size > 0) {
      headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '))
    }
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '' || /max-age=0|expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
    this.#hops.push(url)
    return { status: response.status, url, headers: response.headers, text: await response.text() }
  }

  /** Follows redirects (except to `until`) and meta refreshes. */
  async follow(url: string, init: RequestInit = {}, until?: RegExp): Promise<Page> {
    let page = await this.request(url, init)
    for (let hop = 0; hop < 20; hop++) {
      const next = nextOf(page)
      if (next === undefined) return page
      if (until?.test(next)) return { ...page, url: next }
      page = await this.request(next)
    }
    throw new Error(`too many redirects from ${url}`)
  }

  /** Submits a form as a browser does: with its hidden fields, the given fields and an Origin header. */
  submit(
    page: Page,
    fields: Form = {},
    { form = 0, until = undefined as RegExp | undefined } = {},
  ) {
    const found = [...page.text.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)][form]
    assert.ok(found, `no form ${form} in ${page.url}: ${page.status} ${page.text}`)
    const [, attributes = '', inner = ''] = found
    const action = unescaped(/action="([^"]*)"/.exec(attributes)?.[1] ?? page.url)
    const hidden = [...inner.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)]
    const values = Object.fromEntries(
      hidden.map(([, name, value]) => [name, unescaped(value ?? '')]),
    )
    return this.post(new URL(action, page.url).href, { ...values, ...fields }, page.url, until)
  }

  post(url: string, fields: Form, from = url, until?: RegExp): Promise<Page> {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      origin: new URL(from).origin,
    }
    const body = new URLSearchParams(fields).toString()
    return this.follow(url, { method: 'POST', headers, body }, until)
  }

  #jar(url: string): Map<string, string> {
    const { host } = new URL(url)
    const jar = this.#cookies.get(host) ?? new Map<string, string>()
    this.#cookies.set(host, jar)
    return jar
  }
}

function nextOf({ status, url, headers, text }: Page): string | undefined {
  const location = status >= 300 && status < 400 ? headers.get('location') : undefined
  const refresh = /<meta http-equiv="refresh" content="0; url=([^"]*)"/.exec(text)?.[1]
  const next = location ?? (refresh && unescaped(refresh))
  if (!next) return undefined
  const target = new URL(next, url)
  // An app's address leaves the browser.
  return /^https?:$/.test(target.protocol) ? target.href : undefined
}

function unescaped(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}
