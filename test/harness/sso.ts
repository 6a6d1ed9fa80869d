import { type Appliance, boot } from './boot.ts'
import {
  CLIENT_ID,
  CLIENT_SECRET,
  IdentityProvider,
  type ProviderOptions,
} from './identity-provider.ts'
import { freePorts } from './ports.ts'
import type { Page, WebBrowser } from './web-browser.ts'

export interface SsoOptions {
  /** Overrides fields of the provider's entry in the settings. */
  readonly provider?: Record<string, unknown>
  readonly idp?: Partial<ProviderOptions>
  readonly env?: Record<string, string>
  /** More provider entries in the settings. */
  readonly others?: readonly object[]
}

/** An appliance and the OpenID provider it is a client of. */
export interface Sso extends AsyncDisposable {
  readonly mimir: Appliance
  readonly idp: IdentityProvider
  /** The appliance's public URL. */
  readonly url: string
  /** Signs in through the provider in a browser; resolves to the page where it ends up. */
  signIn(browser: WebBrowser, login: string, query?: string): Promise<Page>
  /** The same, but stops when the provider redirects back; resolves to that address. */
  toCallback(browser: WebBrowser, login: string, query?: string): Promise<string>
}

/** The name of the provider in the settings. */
export const PROVIDER = 'work'

export async function startSso(options: SsoOptions = {}): Promise<Sso> {
  const [port] = await freePorts(1)
  const url = `http://localhost:${port}`
  const idp = await IdentityProvider.start({ publicUrl: url, ...options.idp })
  const entry = {
    name: PROVIDER,
    type: 'generic',
    issuer: idp.issuer,
    client: { id: CLIENT_ID, secret: CLIENT_SECRET },
    admit: [{ domain: 'example.org', admit: 'active' }],
    ...options.provider,
  }
  const mimir = await boot({
    env: {
      MIMIR_LISTEN: `127.0.0.1:${port}`,
      MIMIR_PUBLIC_URL: url,
      MIMIR_OUTBOUND_ALLOW: '127.0.0.1',
      MIMIR_OIDC_PROVIDERS: JSON.stringify([entry, ...(options.others ?? [])]),
      ...options.env,
    },
  })
  const back = new RegExp(`^${url}/auth/callback`)

  async function toProvider(browser: WebBrowser, query: string): Promise<Page> {
    return browser.follow(`${url}/auth/login?provider=${PROVIDER}${query}`, {}, back)
  }

  async function answer(browser: WebBrowser, page: Page, login: string, until?: RegExp) {
    // The provider redirects at once if it already has a session.
    return page.text.includes('name="login"') ? browser.submit(page, { login }, { until }) : page
  }

  return {
    mimir,
    idp,
    url,
    async signIn(browser, login, query = '') {
      const page = await toProvider(browser, query)
      const at = await answer(browser, page, login, back)
      return back.test(at.url) ? browser.follow(at.url) : at
    },
    async toCallback(browser, login, query = '') {
      const page = await toProvider(browser, query)
      return (await answer(browser, page, login, back)).url
    },
    async [Symbol.asyncDispose]() {
      await mimir[Symbol.asyncDispose]()
      await idp[Symbol.asyncDispose]()
    },
  }
}
