import assert from 'node:assert/strict'
import { test } from 'node:test'
import { routes } from '../../src/app/features.ts'
import { ACCOUNT_TEXTS } from '../../src/features/accounts/account-text.ts'
import { accountErrors } from '../../src/features/accounts/errors.ts'
import { inviteErrors } from '../../src/features/invites/errors.ts'
import { mfaErrors } from '../../src/features/mfa/errors.ts'
import { CONSENT_TEXTS } from '../../src/features/oauth/consent-text.ts'
import { oauthErrors } from '../../src/features/oauth/errors.ts'
import { oidcErrors } from '../../src/features/oidc/errors.ts'
import { sessionErrors } from '../../src/features/sessions/errors.ts'
import { LINK_TEXTS } from '../../src/features/sessions/link-text.ts'
import { SIGN_IN_TEXTS } from '../../src/features/sign-in/sign-in-text.ts'
import { type AnyRoute, operationOf, type RawRoute } from '../../src/http/define-route.ts'
import { alert } from '../../src/http/page.ts'
import { PAGE_TEXTS } from '../../src/http/page-text.ts'
import { sameOriginErrors } from '../../src/http/same-origin.ts'
import { MINUTE } from '../../src/platform/clock.ts'
import { commonErrors } from '../../src/platform/errors.ts'
import type { Language } from '../../src/platform/language.ts'
import { admissionErrors } from '../../src/policy/admission.ts'
import { accessErrors } from '../../src/policy/errors.ts'
import { Authenticator } from '../harness/authenticator.ts'
import { boot } from '../harness/boot.ts'
import { codeOf, setUpTotp } from '../harness/factors.ts'
import { MailServer } from '../harness/mail-server.ts'
import { AiClient, bootWithAddress } from '../harness/oauth.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'
import { type Page, WebBrowser } from '../harness/web-browser.ts'

const LANGUAGES: readonly Language[] = ['en', 'tr']
const TABLES = [ACCOUNT_TEXTS, SIGN_IN_TEXTS, LINK_TEXTS, PAGE_TEXTS]
const REFUSALS = [
  ...[accountErrors, inviteErrors, mfaErrors, sessionErrors, oidcErrors, oauthErrors],
  ...[commonErrors, accessErrors, admissionErrors, sameOriginErrors],
].flatMap((table) => Object.values(table))
/** Stands in for the values inserted into a text. */
const GAP = '§'
const NEW_PASSWORD = 'another long one'
/** Nothing listens here, but pages still name the provider. */
const PROVIDER = {
  name: 'work',
  type: 'generic',
  label: 'ACME',
  issuer: 'http://127.0.0.1:9',
  client: { id: 'mimir', secret: 'a secret of the provider' },
}

/** The texts of a table, without the values inserted into them. */
function wordsOf(table: object): string[] {
  return Object.values(table).flatMap((text): string[] => {
    if (typeof text === 'string') return [text]
    if (typeof text === 'object') return wordsOf(text)
    const said: string = text(GAP, GAP)
    return said.split(/§|\bNaN\b/).map((part) => part.trim())
  })
}

/** Matches the words only where they are not part of longer ones, such as a field name. */
function whole(words: string): RegExp {
  const literal = words.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  return new RegExp(`(?<![\\p{L}\\d])${literal}(?![\\p{L}\\d])`, 'u')
}

const isWord = (text: string) => /\p{L}{3}/u.test(text)

/** Texts that no page in the language may contain. */
function foreignWords(language: Language): string[] {
  const told = [...TABLES, CONSENT_TEXTS].flatMap((table) =>
    LANGUAGES.filter((other) => other !== language).flatMap((other) => wordsOf(table[other])),
  )
  const refusals = REFUSALS.map(({ message, translated }) =>
    language === 'tr' ? message : translated.tr,
  )
  return [...told, ...refusals].filter(isWord)
}

function unescaped(text: string): string {
  return text.replaceAll('&#39;', "'").replaceAll('&quot;', '"').replaceAll('&amp;', '&')
}

const isHtml = ({ headers }: Page) => headers.get('content-type')?.startsWith('text/html') ?? false

function assertLanguage({ text, headers }: Page, language: Language, what: string): void {
  assert.match(text, new RegExp(`<html lang="${language}">`), what)
  assert.match(headers.get('vary') ?? '', /Accept-Language/, what)
  // Nothing falls back to English.
  assert.doesNotMatch(text, /role="alert" lang=/, what)
  const said = unescaped(text)
  const foreign = foreignWords(language).filter((words) => said.match(whole(words)))
  assert.deepEqual(foreign, [], `${what}: ${said}`)
}

/** A person's browser that checks every page it gets. */
class Reader extends WebBrowser {
  readonly #language: Language
  readonly pages: Page[] = []

  constructor(language: Language) {
    super()
    this.#language = language
  }

  override async request(url: string, init: RequestInit = {}): Promise<Page> {
    const headers = { ...init.headers, 'accept-language': `${this.#language}-XX, fr;q=0.5` }
    const page = await super.request(url, { ...init, headers })
    if (isHtml(page)) {
      assertLanguage(page, this.#language, `${init.method ?? 'GET'} ${url}`)
      this.pages.push(page)
    }
    return page
  }

  async signIn(url: string, { name, password }: Person): Promise<Page> {
    return this.post(`${url}/auth/sign-in`, { usernameOrEmail: name, password })
  }
}

type Forms = Readonly<Record<string, readonly Readonly<Record<string, string>>[]>>

const FORMS: Forms = {
  'POST /auth/sign-in': [{}, { usernameOrEmail: 'alice', password: 'wrong' }],
  'POST /auth/second-factor': [{}, { code: '000000' }],
  'POST /auth/account': [
    {},
    { action: 'begin-totp' },
    { action: 'step-up', password: 'wrong' },
    { action: 'remove-passkey', id: 'x' },
  ],
  'POST /auth/link': [{}, { provider: 'work' }],
  'POST /join/{token}': [{}, { username: 'ann', email: 'ann@example.org' }],
  'POST /forgot-password': [{}, { email: 'ann@example.org' }],
  'POST /resend-verification': [{}, { email: 'ann@example.org' }],
}

const isRaw = (route: AnyRoute): route is RawRoute => route.kind === 'raw'

test('every route that answers with pages speaks the language that is asked for', async () => {
  const env = { MIMIR_OIDC_PROVIDERS: JSON.stringify([PROVIDER]) }
  await using mimir = await bootWithAddress({ env })
  const [alice, bob] = [await mimir.person('alice'), await mimir.person('bob')]
  await setUpTotp(mimir, bob)
  const { token } = await mimir.command('invite.create')
  const client = await AiClient.register(mimir.publicUrl)
  const addressOf = ({ path }: RawRoute) => {
    if (path === '/oauth/authorize') return client.address()
    return mimir.publicUrl + path.replace('{token}', token).replaceAll(/\{\w+\}/g, 'x')
  }
  const open = async (route: RawRoute, browser: Reader) => {
    const url = addressOf(route)
    if (route.method === 'get') return [await browser.request(url)]
    const replies: Page[] = []
    for (const form of FORMS[operationOf(route)] ?? [{}]) {
      const headers = {
        'content-type': 'application/x-www-form-urlencoded',
        origin: mimir.publicUrl,
      }
      const body = new URLSearchParams(form).toString()
      replies.push(await browser.request(url, { method: 'POST', headers, body }))
    }
    return replies
  }
  const answersPages = new Set<string>()
  for (const route of routes.filter(isRaw)) {
    for (const language of LANGUAGES) {
      // Nobody, a signed-in person, and a half signed-in one.
      for (const person of [undefined, alice, bob]) {
        const browser = new Reader(language)
        if (person) await browser.signIn(mimir.publicUrl, person)
        const replies = await open(route, browser)
        if (replies.some(isHtml)) answersPages.add(operationOf(route))
      }
    }
  }
  const pages = routes.filter((route) => isRaw(route) && route.refusal === 'page')
  assert.deepEqual([...answersPages].sort(), pages.map(operationOf).sort())
  assert.ok(answersPages.size > 20)
})

for (const language of LANGUAGES) {
  test(`people meet every word of ${language}, and none of the other`, async () => {
    await using mail = await new MailServer().start()
    await using mimir = await bootWithAddress({
      mail,
      env: {
        MIMIR_OIDC_PROVIDERS: JSON.stringify([PROVIDER]),
        MIMIR_MFA_REQUIRED_ROLES: 'admin',
      },
    })
    const url = mimir.publicUrl
    const pages: Page[] = []
    const newcomer = () => {
      const browser = new Reader(language)
      return Object.assign(browser, { [Symbol.dispose]: () => void pages.push(...browser.pages) })
    }

    // Without a mail server, nobody has to confirm an address.
    await using plain = await boot()
    for (const at of [plain, mimir]) {
      using browser = newcomer()
      await browser.open(`${at.url}/`)
      const join = at.url + new URL((await at.command('invite.create')).url).pathname
      const form = { username: 'ann', email: 'ann@example.org', password: 'correct horse' }
      await browser.open(join)
      const mistakes = { username: '?', email: '?', password: '?', phone: '0'.repeat(33) }
      for (const [name, value] of Object.entries(mistakes)) {
        await browser.post(join, { ...form, [name]: value })
      }
      await browser.post(join, form)
      await browser.open(join)
      for (const path of ['/forgot-password', '/resend-verification']) {
        await browser.open(at.url + path)
        await browser.post(at.url + path, { email: 'nobody@example.org' })
      }
    }

    const alice = await mimir.person('alice')
    {
      using browser = newcomer()
      const confirm = `${url}/verify-email?token=${await mail.token('ann@example.org')}`
      await browser.open(confirm)
      await browser.open(confirm)
      const change = { email: 'a@example.org', currentPassword: alice.password }
      assertDone(await alice.rest.put('/api/me/email', change), 202)
      await browser.open(`${url}/verify-email?token=${await mail.token('a@example.org')}`)
      await browser.open(`${url}/link-device?code=${'x'.repeat(22)}`)
    }
    {
      using browser = newcomer()
      await mimir.person('erin')
      await browser.post(`${url}/forgot-password`, { email: 'erin' })
      await browser.post(`${url}/forgot-password`, { email: 'erin@example.org' })
      const link = await mail.link('erin@example.org', 2)
      await browser.open(link.href)
      await browser.post(link.href, { newPassword: 'short' })
      await browser.post(link.href, { newPassword: NEW_PASSWORD })
    }
    {
      using browser = newcomer()
      await browser.open(`${url}/auth/sign-in`)
      await browser.post(`${url}/auth/sign-in`, {})
      await browser.post(`${url}/auth/passkey`, {})
      await browser.signIn(url, alice)
      const account = `${url}/auth/account`
      const shown = await browser.post(account, { action: 'begin-totp' })
      const [, secret = ''] = /<small>[^<]*<code>([A-Z2-7]+)</.exec(shown.text) ?? []
      await browser.post(account, { action: 'confirm-totp', code: codeOf(mimir, secret) })
      await browser.open(account)
      mimir.clock.advance(16 * MINUTE)
      await browser.post(account, { action: 'remove-totp' })
      await browser.open(`${url}/auth/logout`)
      await browser.post(`${url}/auth/logout`, {})
      await browser.signIn(url, alice)
      await browser.post(`${url}/auth/second-factor`, { code: '000000' })
    }
    {
      using browser = newcomer()
      const carol = await mimir.person('carol')
      const options = assertDone(await carol.rest.get('/api/me/passkeys/options'))
      const passkey = new Authenticator(url).create(options)
      assertDone(await carol.rest.post('/api/me/passkeys', { name: 'a key', passkey }), 201)
      await browser.signIn(url, carol)
    }
    {
      using browser = newcomer()
      await browser.signIn(url, await mimir.admin('dave'))
      await browser.post(`${url}/auth/second-factor`, { action: 'set-up' })
    }

    const said = unescaped(pages.map(({ text }) => text).join('\n'))
    const words = TABLES.flatMap((table) => wordsOf(table[language]))
    assert.deepEqual(
      words.filter((text) => !said.includes(text)),
      [],
    )
  })
}

test('a page that the server refuses to everybody says why in the language, with the code', async () => {
  await using mimir = await boot()
  await mimir.command('lockdown.start')
  for (const language of LANGUAGES) {
    const browser = new Reader(language)
    for (const path of ['/', '/join/x', '/verify-email', '/link-device', '/auth/sign-in']) {
      const { status, text } = await browser.open(mimir.url + path)
      assert.equal(status, 503, path)
      assert.match(text, /<code>locked_down<\/code>/)
    }
    assert.equal(browser.pages.length, 5)
  }
})

test('where there is nothing, a browser gets a page in its language, and a program JSON', async () => {
  await using mimir = await boot({ env: { MIMIR_PUBLIC_URL: 'http://localhost:8080/mimir' } })
  for (const language of LANGUAGES) {
    const browser = new Reader(language)
    for (const path of ['/nothing', '/mimir/join', '/mimir/auth/nothing']) {
      const { status, text } = await browser.open(mimir.url + path)
      assert.equal(status, 404, path)
      assert.match(text, new RegExp(`<html lang="${language}">[^]*<code>not_found</code>`))
    }
    assert.equal(browser.pages.length, 3)
  }
  for (const accept of ['*/*', 'application/json']) {
    const rest = mimir.rest().with({ accept })
    for (const path of ['/nothing', '/api/nothing']) {
      assertRefused(await rest.get(path), 404, 'not_found')
    }
  }
})

test('a page in Turkish says in English what is said in English alone', async () => {
  const untold = { message: 'Nobody has translated this.' }
  assert.equal(
    String(await alert(untold, 'tr')),
    '<p id="problem" role="alert" lang="en">Nobody has translated this.</p>',
  )
  assert.doesNotMatch(String(await alert(untold, 'en')), /lang=/)
})
