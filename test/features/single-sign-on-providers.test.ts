import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../harness/eventually.ts'
import { type Sso, startSso } from '../harness/sso.ts'
import { WebBrowser } from '../harness/web-browser.ts'

/** A directory id in Azure's format. */
const DIRECTORY = '6f2c1c1e-0d6b-4f57-8f0f-0123456789ab'

async function roleOf(sso: Sso, login: string): Promise<string> {
  const browser = new WebBrowser()
  const page = await sso.signIn(browser, login)
  assert.equal(page.status, 200, page.text)
  const { text } = await browser.request(`${sso.url}/api/me`)
  const { username } = JSON.parse(text)
  return (await sso.mimir.command('user.show', { user: username })).role
}

async function codeOf(sso: Sso, login: string): Promise<string> {
  const browser = new WebBrowser()
  const callback = await sso.toCallback(browser, login)
  const { text } = await browser.request(callback, { headers: { accept: '*/*' } })
  return JSON.parse(text).error
}

function verified(name: string): Record<string, unknown> {
  return { email: `${name}@example.org`, email_verified: true, preferred_username: name }
}

const ADMINS = { 'chat-admins': 'admin' }

test('Okta: an authorization server of its own, groups in the ID token', async () => {
  await using sso = await startSso({
    idp: { path: '/oauth2/default' },
    provider: {
      type: 'okta',
      claimPath: 'groups',
      roles: ADMINS,
      admit: [{ group: 'Everyone', admit: 'active' }],
    },
  })
  sso.idp.people.set('ada', { ...verified('ada'), groups: ['Everyone', 'chat-admins'] })
  sso.idp.people.set('eve', { ...verified('eve'), groups: ['Contractors'] })
  assert.equal(await roleOf(sso, 'ada'), 'admin')
  assert.equal(await codeOf(sso, 'eve'), 'not_admitted')
})

test('Auth0: an issuer that ends with a slash, one organisation, namespaced roles, an audience', async () => {
  const claim = 'https://example.org/roles'
  await using sso = await startSso({
    idp: { path: '/' },
    provider: {
      type: 'auth0',
      organization: 'org_1',
      audience: 'https://api.example.org',
      claimPath: claim,
      roles: ADMINS,
      admit: [{ tenant: 'org_1', admit: 'active' }],
    },
  })
  const browser = new WebBrowser()
  await sso.signIn(browser, 'nobody')
  const sent = new URL(browser.hops.find((url) => url.includes('/auth?')) ?? '')
  assert.equal(sent.searchParams.get('organization'), 'org_1')
  assert.equal(sent.searchParams.get('audience'), 'https://api.example.org')
  sso.idp.bend = ({ claims }) => {
    if (claims.sub === 'ada') Object.assign(claims, { org_id: 'org_1', [claim]: ['chat-admins'] })
    if (claims.sub === 'eve') Object.assign(claims, { org_id: 'org_2', [claim]: ['chat-admins'] })
  }
  sso.idp.people.set('ada', verified('ada'))
  sso.idp.people.set('eve', verified('eve'))
  assert.equal(await roleOf(sso, 'ada'), 'admin')
  assert.equal(await codeOf(sso, 'eve'), 'not_admitted')
})

test('Azure: one directory, and groups that are too many to be told grant nothing', async () => {
  await using sso = await startSso({
    idp: { path: `/${DIRECTORY}/v2.0` },
    provider: {
      type: 'azure',
      claimPath: 'groups',
      roles: ADMINS,
      admit: [{ tenant: DIRECTORY, admit: 'active' }],
    },
  })
  sso.idp.bend = ({ claims }) => {
    claims.tid = DIRECTORY
    // Over 200 groups, the claim is replaced by a reference to where they are listed.
    if (claims.sub !== 'ada') delete claims.groups
    if (claims.sub === 'pointed') {
      claims._claim_names = { groups: 'src1' }
      claims._claim_sources = { src1: { endpoint: 'https://graph.example.org/groups' } }
    }
    if (claims.sub === 'flagged') claims.hasgroups = true
  }
  const groups = ['chat-admins']
  for (const name of ['ada', 'pointed', 'flagged']) {
    sso.idp.people.set(name, { ...verified(name), groups })
  }
  assert.equal(await roleOf(sso, 'ada'), 'admin')
  assert.equal(await roleOf(sso, 'pointed'), 'member')
  assert.equal(await roleOf(sso, 'flagged'), 'member')
  assert.ok(sso.mimir.logged.some((line) => line.includes('no role is granted')))
})

test('Google: the hosted domain is a claim that has to be there, whatever was asked for', async () => {
  await using sso = await startSso({
    provider: {
      type: 'google',
      hostedDomain: 'Example.org',
      admit: [{ hostedDomain: 'example.org', admit: 'active' }],
    },
  })
  const { people } = sso.idp
  people.set('ada', { ...verified('ada'), hd: 'example.org' })
  people.set('private', verified('private'))
  people.set('elsewhere', { ...verified('elsewhere'), hd: 'elsewhere.org' })
  const browser = new WebBrowser()
  await sso.signIn(browser, 'ada')
  const sent = new URL(browser.hops.find((url) => url.includes('/auth?')) ?? '')
  assert.equal(sent.searchParams.get('hd'), 'example.org')
  assert.equal(await roleOf(sso, 'ada'), 'member')
  assert.equal(await codeOf(sso, 'private'), 'not_admitted')
  assert.equal(await codeOf(sso, 'elsewhere'), 'not_admitted')
  // A person who left the organisation still has an account but is not admitted.
  people.set('ada', verified('ada'))
  assert.equal(await codeOf(sso, 'ada'), 'not_admitted')
})

test('Keycloak: a realm, and roles nested in a claim', async () => {
  await using sso = await startSso({
    idp: { path: '/realms/staff' },
    provider: {
      type: 'keycloak',
      claimPath: 'realm_access.roles',
      roles: ADMINS,
      admit: [{ anyone: true, admit: 'active' }],
    },
  })
  const { people } = sso.idp
  people.set('ada', { ...verified('ada'), realm_access: { roles: ['offline', 'chat-admins'] } })
  people.set('bea', { ...verified('bea'), realm_access: {} })
  people.set('cleo', { ...verified('cleo'), realm_access: 'chat-admins' })
  assert.equal(await roleOf(sso, 'ada'), 'admin')
  assert.equal(await roleOf(sso, 'bea'), 'member')
  assert.equal(await roleOf(sso, 'cleo'), 'member')
})

test('a provider whose ID token says little is asked for the rest', async () => {
  await using sso = await startSso({
    provider: { claimPath: 'groups', roles: ADMINS },
  })
  sso.idp.people.set('ada', { ...verified('ada'), groups: ['chat-admins'] })
  // As Keycloak does without mappers, and as the standard says (OpenID Connect Core §5.4).
  sso.idp.bend = ({ claims }) => {
    for (const name of ['email', 'email_verified', 'preferred_username', 'groups']) {
      delete claims[name]
    }
  }
  assert.equal(await roleOf(sso, 'ada'), 'admin')
  assert.ok(sso.idp.asked.includes('GET /me'))
})

test('a client without a secret of its own signs in by PKCE alone', async () => {
  const client = { client_secret: undefined, token_endpoint_auth_method: 'none' as const }
  await using sso = await startSso({
    idp: { client: client as object },
    provider: { client: { id: 'mimir' } },
  })
  sso.idp.people.set('ada', verified('ada'))
  assert.equal(await roleOf(sso, 'ada'), 'member')
})

test('signing out leads on to the same at the provider', async () => {
  await using sso = await startSso()
  sso.idp.people.set('ada', verified('ada'))
  const browser = new WebBrowser()
  await sso.signIn(browser, 'ada')
  const atProvider = await browser.submit(await browser.open(`${sso.url}/auth/logout`))
  const sent = new URL(browser.hops.find((url) => url.includes('/session/end')) ?? '')
  assert.equal(sent.searchParams.get('post_logout_redirect_uri'), `${sso.url}/auth/signed-out`)
  assert.equal(browser.cookie(sso.url, 'mimir_session'), undefined)
  assert.equal((await browser.request(`${sso.url}/api/me`)).status, 401)
  const done = await browser.submit(atProvider, { logout: 'yes' })
  assert.equal(done.url, `${sso.url}/auth/signed-out`)
})

test('signing out at the provider ends every session here that it vouched for', async () => {
  await using sso = await startSso()
  sso.idp.people.set('ada', verified('ada'))
  const [browser, other] = [new WebBrowser(), new WebBrowser()]
  await sso.signIn(browser, 'ada')
  const first = browser.cookie(sso.url, 'mimir_session') as string
  await sso.signIn(browser, 'ada')
  other.setCookie(sso.url, 'mimir_session', first)
  const me = (who: WebBrowser) => who.request(`${sso.url}/api/me`).then(({ status }) => status)
  assert.deepEqual([await me(browser), await me(other)], [200, 200])
  const page = await browser.open(`${sso.idp.issuer}/session/end`)
  await browser.submit(page, { logout: 'yes' })
  const isOut = async () => (await me(browser)) === 401 && (await me(other)) === 401
  await eventually(isOut, 'the logout token did not end the sessions')
})
