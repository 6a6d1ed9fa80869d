import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError, loadConfig } from '../../src/config/load.ts'

type Env = Record<string, string>

function load(env: Env) {
  return loadConfig({ dataDir: '/nowhere', env })
}

/** The problems that make the start fail with this environment. */
function problemsOf(env: Env): readonly string[] {
  try {
    load(env)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
}

const ENTRY = {
  name: 'work',
  type: 'generic',
  issuer: 'https://id.example.org',
  client: { id: 'x' },
}
const list = (...entries: object[]) => ({ MIMIR_OIDC_PROVIDERS: JSON.stringify(entries) })

test('one provider by variables has the issuer that its type makes', () => {
  const client = { MIMIR_OAUTH_CLIENT_ID: 'x', MIMIR_OAUTH_CLIENT_SECRET: 's' }
  const cases: [string, Env, string][] = [
    ['okta', { MIMIR_OKTA_DOMAIN: 'a.okta.com' }, 'https://a.okta.com'],
    [
      'okta',
      { MIMIR_OKTA_DOMAIN: 'a.okta.com', MIMIR_OKTA_AUTHORIZATION_SERVER: 'default' },
      'https://a.okta.com/oauth2/default',
    ],
    ['auth0', { MIMIR_AUTH0_DOMAIN: 'a.auth0.com' }, 'https://a.auth0.com/'],
    ['azure', { MIMIR_AZURE_TENANT_ID: 'guid' }, 'https://login.microsoftonline.com/guid/v2.0'],
    ['google', { MIMIR_GOOGLE_HOSTED_DOMAIN: 'a.org' }, 'https://accounts.google.com'],
    [
      'keycloak',
      { MIMIR_KEYCLOAK_SERVER_URL: 'https://k.org/', MIMIR_KEYCLOAK_REALM: 'r' },
      'https://k.org/realms/r',
    ],
    ['generic', { MIMIR_OAUTH_ISSUER: 'https://i.org' }, 'https://i.org'],
    ['okta', { MIMIR_OAUTH_ISSUER: 'https://i.org/own' }, 'https://i.org/own'],
  ]
  for (const [type, env, issuer] of cases) {
    const { config } = load({ MIMIR_AUTH_PROVIDER: type, ...client, ...env })
    const [provider, ...more] = config.oidc.providers
    assert.deepEqual([provider?.type, provider?.issuer, more.length], [type, issuer, 0])
    assert.deepEqual(config.secrets.oidcClients, { [type]: 's' })
    assert.ok(config.access.methods.includes('oauth'))
    assert.ok(!JSON.stringify(config.oidc).includes('"s"'))
  }
})

test('what is missing or contradicts itself is said at the start, each with its name', () => {
  const okta = { MIMIR_AUTH_PROVIDER: 'okta', MIMIR_OAUTH_CLIENT_ID: 'x' }
  const cases: [Env, RegExp][] = [
    [{ ...okta, ...list(ENTRY) }, /MIMIR_OIDC_PROVIDERS and MIMIR_AUTH_PROVIDER: both are set/],
    [okta, /MIMIR_AUTH_PROVIDER: okta: needs its domain or issuer/],
    [
      { MIMIR_AUTH_PROVIDER: 'okta', MIMIR_OKTA_DOMAIN: 'a' },
      /MIMIR_OAUTH_CLIENT_ID: needed with MIMIR_AUTH_PROVIDER/,
    ],
    [{ MIMIR_OAUTH_CLIENT_ID: 'x' }, /MIMIR_OAUTH_CLIENT_ID: set, but no MIMIR_AUTH_PROVIDER/],
    [{ MIMIR_AUTH_PROVIDER: 'cognito' }, /^MIMIR_AUTH_PROVIDER: /],
    [
      { ...okta, MIMIR_OKTA_DOMAIN: 'a', MIMIR_OAUTH_REDIRECT_URI: 'https://b.org/auth/callback' },
      /MIMIR_OAUTH_REDIRECT_URI: with this public URL it is http:\/\/localhost:8080\/auth\/callback/,
    ],
    [
      {
        ...okta,
        MIMIR_OKTA_DOMAIN: 'a',
        MIMIR_OAUTH_TOKEN_ENDPOINT: 'https://a.org/1',
        MIMIR_OAUTH_TOKEN_URL: 'https://a.org/2',
      },
      /MIMIR_OAUTH_TOKEN_ENDPOINT and MIMIR_OAUTH_TOKEN_URL: they differ/,
    ],
    [{ MIMIR_OAUTH_ENABLE_PKCE: 'false' }, /MIMIR_OAUTH_ENABLE_PKCE: PKCE cannot be switched off/],
    [{ MIMIR_OAUTH_ENABLE_STATE: 'no' }, /MIMIR_OAUTH_ENABLE_STATE: the state cannot/],
    [{ MIMIR_OAUTH_ENABLE_NONCE: '0' }, /MIMIR_OAUTH_ENABLE_NONCE: the nonce cannot/],
    [{ MIMIR_OIDC_PROVIDERS: '[{"a secret"' }, /MIMIR_OIDC_PROVIDERS: is not JSON$/],
    [{ MIMIR_OIDC_PROVIDERS: '/no/such/file' }, /no file that can be read/],
    [list(), /names no provider/],
    [list(ENTRY, ENTRY), /work is given twice/],
    [list({ ...ENTRY, typo: 1 }), /typo/],
    [list({ ...ENTRY, name: 'No!' }), /0\.name/],
    [list({ ...ENTRY, type: 'generic', issuer: undefined }), /work: needs its issuer/],
    [list({ ...ENTRY, roles: { boss: 'owner' } }), /0\.roles\.boss/],
    [list({ ...ENTRY, admit: [{ admit: 'active' }] }), /names nobody/],
    [list({ ...ENTRY, admit: [{ domain: 'a.org', admit: 'yes' }] }), /0\.admit\.0\.admit/],
    [
      list({
        name: 'g',
        type: 'google',
        client: { id: 'x' },
        admit: [{ anyone: true, admit: 'active' }],
      }),
      /g: anyone would be everyone with a Google account/,
    ],
    [
      list({ name: 'a', type: 'azure', client: { id: 'x' }, tenantId: 'common' }),
      /a: name one directory/,
    ],
    [
      list({ ...ENTRY, client: { id: 'x', secretFile: '/no/such/file' } }),
      /secretFile cannot be read/,
    ],
    [{ MIMIR_APP_REDIRECTS: 'javascript:alert(1)' }, /MIMIR_APP_REDIRECTS: .*not an app’s address/],
    [{ MIMIR_APP_REDIRECTS: 'http://a.org/back' }, /MIMIR_APP_REDIRECTS/],
    [{ MIMIR_MFA_METHODS: 'totp,sms' }, /sms is not offered: anyone with access to the line/],
    [{ MIMIR_MFA_METHODS: 'email' }, /email is not offered/],
    [{ MIMIR_MFA_METHODS: 'magic' }, /magic is not one of passkey, totp/],
    [{ MIMIR_MFA_REQUIRED_ROLES: 'boss' }, /MIMIR_MFA_REQUIRED_ROLES: boss is not one of/],
    [{ MIMIR_MFA_METHODS: ',', MIMIR_MFA_REQUIRED_ROLES: 'admin' }, /no second factor to require/],
  ]
  for (const [env, expected] of cases) {
    const problems = problemsOf(env)
    assert.ok(
      problems.some((line) => expected.test(line)),
      `${expected}: ${problems.join('\n')}`,
    )
    assert.ok(!problems.join().includes('a secret'))
  }
})

test('several providers come from a file, their secrets from files of their own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mimir-providers-'))
  try {
    const secretFile = join(folder, 'secret')
    writeFileSync(secretFile, 'of a file\n')
    const file = join(folder, 'providers.json')
    const entry = { ...ENTRY, client: { id: 'x', secretFile } }
    writeFileSync(file, JSON.stringify([entry, { ...ENTRY, name: 'other' }]))
    const { config } = load({ MIMIR_OIDC_PROVIDERS: file })
    assert.deepEqual(
      config.oidc.providers.map(({ name }) => name),
      ['work', 'other'],
    )
    assert.deepEqual(config.secrets.oidcClients, { work: 'of a file' })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('words of earlier systems mean what they meant, or are answered', () => {
  const { config, notes } = load({
    MIMIR_MFA_METHODS: 'hardware,totp',
    MIMIR_ENABLE_MFA: 'true',
    MIMIR_OAUTH_ALLOW_HTTP: 'true',
    MIMIR_OAUTH_ENABLE_PKCE: 'true',
  })
  assert.deepEqual(config.mfa.methods, ['passkey', 'totp'])
  assert.equal(notes.length, 2)
})
