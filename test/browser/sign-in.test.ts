import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MINUTE } from '../../src/platform/clock.ts'
import { boot } from '../harness/boot.ts'
import { addAuthenticator, type Page, startChromium } from '../harness/chromium.ts'
import { CLIENT_ID, CLIENT_SECRET, IdentityProvider } from '../harness/identity-provider.ts'
import { freePorts } from '../harness/ports.ts'
import { systemProgram } from '../harness/program.ts'

const { path, skip } = systemProgram('chromium')
const DIRECTORY = '6f2c1c1e-0d6b-4f57-8f0f-0123456789ab'

/** Provider types, with the issuer path each provider uses. */
const TYPES = {
  okta: '/oauth2/default',
  auth0: '/',
  azure: `/${DIRECTORY}/v2.0`,
  google: '',
  keycloak: '/realms/staff',
} as const

test('people sign in with each kind of provider in a real browser', { skip }, async () => {
  const [port = 0] = await freePorts(1)
  const url = `http://localhost:${port}`
  const providers: { type: string; idp: IdentityProvider }[] = []
  await using stack = new AsyncDisposableStack()
  for (const [type, issuerPath] of Object.entries(TYPES)) {
    const idp = stack.use(await IdentityProvider.start({ publicUrl: url, path: issuerPath }))
    const person = { email: `${type}@example.org`, email_verified: true, hd: 'example.org' }
    idp.people.set(type, { ...person, preferred_username: type })
    providers.push({ type, idp })
  }
  stack.use(
    await boot({
      env: {
        MIMIR_LISTEN: `127.0.0.1:${port}`,
        MIMIR_PUBLIC_URL: url,
        MIMIR_OUTBOUND_ALLOW: '127.0.0.1',
        MIMIR_OIDC_PROVIDERS: JSON.stringify(
          providers.map(({ type, idp }) => ({
            name: type,
            type,
            issuer: idp.issuer,
            client: { id: CLIENT_ID, secret: CLIENT_SECRET },
            ...(type === 'google' ? { hostedDomain: 'example.org' } : {}),
            admit: [{ domain: 'example.org', admit: 'active' }],
          })),
        ),
      },
    }),
  )
  const browser = await startChromium(path)
  stack.defer(() => browser.close())
  const context = await browser.newContext()
  const page = await context.newPage()
  const problems = watch(page)
  for (const { type } of providers) {
    await page.goto(`${url}/auth/sign-in`)
    await page.click(`a[href$="provider=${type}"]`)
    await page.fill('input[name=login]', type)
    await page.click('button')
    await page.waitForURL(`${url}/auth/account`)
    assert.match((await page.textContent('h1')) ?? '', new RegExp(`signed in as ${type}`))
    await page.click('text=Sign out')
    // Each of these providers asks whether to end its own session too.
    await page.waitForURL(/session\/end/)
    await page.click('button[value=yes]')
    await page.waitForURL(`${url}/auth/signed-out`)
    const cookies = await context.cookies(url)
    assert.ok(!cookies.some(({ name }) => name === 'mimir_session'))
  }
  assert.deepEqual(problems, [])
})

test('a passkey is made and then signs in, in a real browser', { skip }, async () => {
  const [port = 0] = await freePorts(1)
  const url = `http://localhost:${port}`
  await using stack = new AsyncDisposableStack()
  const env = { MIMIR_LISTEN: `127.0.0.1:${port}`, MIMIR_PUBLIC_URL: url }
  const mimir = stack.use(await boot({ env }))
  const alice = await mimir.person('alice')
  const browser = await startChromium(path)
  stack.defer(() => browser.close())
  const page = await browser.newPage()
  const problems = watch(page)
  await addAuthenticator(page)

  await page.goto(`${url}/auth/sign-in`)
  await page.fill('input[name=usernameOrEmail]', 'alice')
  await page.fill('input[name=password]', alice.password)
  await page.click('button:text-is("Sign in")')
  await page.waitForURL(`${url}/auth/account`)
  await page.fill('input[name=name]', 'my laptop')
  await page.click('text=Add a passkey')
  await page.waitForSelector('text=Save your recovery codes')
  assert.equal(await page.locator('li code').count(), 10)
  await page.click('a')
  await page.waitForSelector('text=my laptop')
  await page.click('text=Sign out')
  await page.waitForURL(`${url}/auth/signed-out`)

  await page.goto(`${url}/auth/sign-in`)
  await page.click('text=Sign in with a passkey')
  await page.waitForURL(`${url}/auth/account`)
  assert.match((await page.textContent('h1')) ?? '', /signed in as alice/)
  await page.click('text=Sign out')
  await page.waitForURL(`${url}/auth/signed-out`)

  // As the second step after the password.
  await page.goto(`${url}/auth/sign-in`)
  await page.fill('input[name=usernameOrEmail]', 'alice')
  await page.fill('input[name=password]', alice.password)
  await page.click('button:text-is("Sign in")')
  await page.waitForURL(`${url}/auth/second-factor`)
  await page.click('text=Use a passkey')
  await page.waitForURL(`${url}/auth/account`)
  assert.deepEqual(problems, [])
})

test('what keeps a passkey from being asked for is told in the language of the page', {
  skip,
}, async () => {
  const [port = 0] = await freePorts(1)
  const url = `http://localhost:${port}`
  await using stack = new AsyncDisposableStack()
  const env = { MIMIR_LISTEN: `127.0.0.1:${port}`, MIMIR_PUBLIC_URL: url }
  const mimir = stack.use(await boot({ env }))
  const alice = await mimir.person('alice')
  const browser = await startChromium(path)
  stack.defer(() => browser.close())
  const page = await browser.newPage({ locale: 'tr-TR' })
  const problems = watch(page)
  await addAuthenticator(page)

  await page.goto(`${url}/auth/sign-in`)
  await page.click('text=Geçiş anahtarıyla oturum aç')
  await page.waitForSelector('text=Geçiş anahtarı yanıt vermedi.')
  await page.fill('input[name=usernameOrEmail]', 'alice')
  await page.fill('input[name=password]', alice.password)
  await page.click('button:text-is("Oturum aç")')
  await page.waitForURL(`${url}/auth/account`)
  assert.match((await page.textContent('h1')) ?? '', /alice olarak oturum açtınız/)
  mimir.clock.advance(16 * MINUTE)
  await page.click('text=Geçiş anahtarı ekle')
  await page.waitForSelector('text=Bunu yapmadan önce kimliğinizi bir kez daha doğrulayın.')
  assert.deepEqual(problems, [])
})

/** Collects errors in the page and anything the browser blocks, for example by the page's policy. */
function watch(page: Page): string[] {
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => {
    if (/policy|refused/i.test(message.text())) problems.push(message.text())
  })
  return problems
}
