import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type ConfigError, loadConfig } from '../../src/config/load.ts'
import type { Appliance } from '../harness/boot.ts'
import { CLIENT_ID, CLIENT_SECRET, IdentityProvider } from '../harness/identity-provider.ts'
import { freePorts } from '../harness/ports.ts'
import { assertDone } from '../harness/rest.ts'
import { bootTwoTenants, HOSTS } from '../harness/tenants.ts'
import { WebBrowser } from '../harness/web-browser.ts'

const PEOPLE = { email: 'anna@example.org', email_verified: true, preferred_username: 'anna' }

function entry(name: string, { issuer }: IdentityProvider, more: object = {}): object {
  const client = { id: CLIENT_ID, secret: CLIENT_SECRET }
  const admit = [{ domain: 'example.org', admit: 'active' }]
  return { name, type: 'generic', issuer, client, admit, ...more }
}

async function namesIn(mimir: Appliance): Promise<string[]> {
  const users: { username: string }[] = await mimir.command('user.list')
  return users.map(({ username }) => username)
}

async function offeredAt(mimir: Appliance): Promise<string[]> {
  const { providers } = assertDone(await mimir.rest().get('/auth/config'))
  return providers.map(({ name }: { name: string }) => name)
}

/** The address the provider redirects the browser to after signing in. */
async function toCallback(browser: WebBrowser, { url }: Appliance, provider: string) {
  const back = new RegExp(`^${url}/auth/callback`)
  const page = await browser.follow(`${url}/auth/login?provider=${provider}`, {}, back)
  return (await browser.submit(page, { login: 'anna' }, { until: back })).url
}

test('a provider of one tenant signs nobody in to another, and makes no account there', async () => {
  const [port] = await freePorts(1)
  const idpOf = async (host: string) => {
    const idp = await IdentityProvider.start({ publicUrl: `http://${host}:${port}` })
    idp.people.set('anna', PEOPLE)
    return idp
  }
  await using acmeId = await idpOf(HOSTS.acme)
  await using betaId = await idpOf(HOSTS.beta)
  const env = {
    MIMIR_OUTBOUND_ALLOW: '127.0.0.1',
    MIMIR_OIDC_PROVIDERS: JSON.stringify([
      entry('for-acme', acmeId, { tenant: 'acme' }),
      entry('for-default', acmeId),
    ]),
  }
  await using servers = await bootTwoTenants({ env, port })
  const { mimir, acme } = servers
  // One names its tenant in the server's settings, the other is in the tenant's own settings.
  const own = `MIMIR_OIDC_PROVIDERS='${JSON.stringify([entry('for-beta', betaId)])}'\n`
  appendFileSync(join(servers.beta.dataDir, 'mimir.env'), own)
  await mimir.command('tenant.disable', { id: 'beta' })
  await mimir.command('tenant.enable', { id: 'beta' })
  const beta = mimir.tenant('beta', HOSTS.beta)

  assert.deepEqual(await offeredAt(mimir), ['for-default'])
  assert.deepEqual(await offeredAt(acme), ['for-acme'])
  assert.deepEqual(await offeredAt(beta), ['for-beta'])
  for (const [one, provider] of [
    [acme, 'for-beta'],
    [beta, 'for-acme'],
    [beta, 'for-default'],
    [mimir, 'for-acme'],
  ] as const) {
    assert.equal(
      (await new WebBrowser().open(`${one.url}/auth/login?provider=${provider}`)).status,
      404,
    )
  }

  const anna = new WebBrowser()
  const callback = await toCallback(anna, acme, 'for-acme')
  // acme's callback, opened at beta by a browser that had begun a sign-in there too.
  const there = callback.replace(acme.url, beta.url)
  await toCallback(anna, beta, 'for-beta')
  assert.equal((await anna.request(there)).status, 400)
  assert.deepEqual([await namesIn(acme), await namesIn(beta)], [[], []])

  await anna.follow(callback)
  const who = await anna.request(`${acme.url}/api/me`)
  assert.equal(JSON.parse(who.text).username, 'anna')
  assert.deepEqual(
    [await namesIn(acme), await namesIn(beta), await namesIn(mimir)],
    [['anna'], [], []],
  )
  assert.equal((await anna.request(`${beta.url}/api/me`)).status, 401)

  // The same login in the other tenant is another account.
  const second = new WebBrowser()
  await second.follow(await toCallback(second, beta, 'for-beta'))
  const twin = JSON.parse((await second.request(`${beta.url}/api/me`)).text)
  assert.equal(twin.username, 'anna')
  assert.notEqual(twin.id, JSON.parse(who.text).id)
})

test('a provider that names a tenant which is not there, or another one, is refused', () => {
  const providers = JSON.stringify([
    {
      name: 'work',
      type: 'generic',
      issuer: 'https://idp.example.org',
      client: { id: 'x', secret: 'y' },
      tenant: 'acme',
    },
  ])
  const load = () => loadConfig({ dataDir: '/nowhere', env: { MIMIR_OIDC_PROVIDERS: providers } })
  assert.throws(load, ({ problems }: ConfigError) => {
    assert.match(
      problems.join(),
      /^MIMIR_OIDC_PROVIDERS: work belongs to the tenant acme: there is only one/,
    )
    return true
  })
})
