import { createHash } from 'node:crypto'
import { Authenticator } from '../harness/authenticator.ts'
import type { Appliance } from '../harness/boot.ts'
import { codeOf, setUpTotp, tryPassword } from '../harness/factors.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, type Reply } from '../harness/rest.ts'
import { PROVIDER, type Sso, startSso } from '../harness/sso.ts'
import { WebBrowser } from '../harness/web-browser.ts'

type Act = (
  operation: string,
  type: string | undefined,
  reply: Promise<Reply>,
  on: Appliance,
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the answer.
) => Promise<any>

/** Calls the routes that sign in with a provider, in a browser and with a second factor. */
export async function walkSignIn(act: Act): Promise<void> {
  await using sso = await startSso({ env: { MIMIR_MFA_REQUIRED_ROLES: 'admin' } })
  const { mimir } = sso
  sso.idp.people.set('anna', { email: 'anna@example.org', email_verified: true })
  const alice = await mimir.person('alice')
  await walkFactors(act, sso, alice)
  await walkBrowser(act, sso, await mimir.person('bob'))
  await walkProvider(act, sso)
}

async function walkFactors(act: Act, { mimir, url }: Sso, alice: Person): Promise<void> {
  const anyone = mimir.rest()
  const { secret } = await act(
    'POST /api/me/totp',
    'factor.set_up_begun',
    alice.rest.post('/api/me/totp'),
    mimir,
  )
  const confirmed = alice.rest.post('/api/me/totp/confirm', { code: codeOf(mimir, secret) })
  await act('POST /api/me/totp/confirm', 'factor.added', confirmed, mimir)
  mimir.clock.advance(30_000)
  const { challenge } = (await tryPassword(mimir, alice)).body
  const second = anyone.post('/api/auth/second-factor', { challenge, code: codeOf(mimir, secret) })
  await act('POST /api/auth/second-factor', 'session.started', second, mimir)
  mimir.clock.advance(30_000)
  const renewed = alice.rest.post('/api/me/step-up', { code: codeOf(mimir, secret) })
  await act('POST /api/me/step-up', 'session.proof_renewed', renewed, mimir)
  const codes = alice.rest.post('/api/me/recovery-codes')
  await act('POST /api/me/recovery-codes', 'factor.codes_renewed', codes, mimir)

  const authenticator = new Authenticator(url)
  const created = authenticator.create(assertDone(await alice.rest.get('/api/me/passkeys/options')))
  const added = alice.rest.post('/api/me/passkeys', { name: 'a key', passkey: created })
  const { id } = await act('POST /api/me/passkeys', 'factor.added', added, mimir)
  const again = (await tryPassword(mimir, alice)).body.challenge
  const options = anyone.post('/api/auth/second-factor/options', { challenge: again })
  await act('POST /api/auth/second-factor/options', undefined, options, mimir)
  const ask = () =>
    act(
      'POST /api/auth/passkey/options',
      undefined,
      anyone.post('/api/auth/passkey/options'),
      mimir,
    )
  const passkey = authenticator.get(await ask())
  const signedIn = anyone.post('/api/auth/passkey', { passkey })
  await act('POST /api/auth/passkey', 'session.started', signedIn, mimir)
  const field = JSON.stringify(authenticator.get(await ask()))
  const form = sendForm(mimir, url, '/auth/passkey', { passkey: field })
  await act('POST /auth/passkey', 'session.started', form, mimir)
  const removed = alice.rest.delete(`/api/me/passkeys/${id}`)
  await act('DELETE /api/me/passkeys/{id}', 'factor.removed', removed, mimir)
  await act('DELETE /api/me/totp', 'factor.removed', alice.rest.delete('/api/me/totp'), mimir)

  await mimir.admin('root')
  await mimir.command('user.set-role', { user: 'alice', role: 'admin' })
  const enrolment = (await tryPassword(mimir, alice)).body.challenge
  const setUp = anyone.post('/api/auth/second-factor/set-up', { challenge: enrolment })
  await act('POST /api/auth/second-factor/set-up', 'factor.set_up_begun', setUp, mimir)
}

async function walkBrowser(act: Act, { mimir, url }: Sso, bob: Person): Promise<void> {
  const { secret } = await setUpTotp(mimir, bob)
  const password = { usernameOrEmail: bob.name, password: bob.password }
  const step = await sendForm(mimir, url, '/auth/sign-in', password)
  mimir.clock.advance(30_000)
  const code = { code: codeOf(mimir, secret) }
  const second = sendForm(mimir, url, '/auth/second-factor', code, cookieIn(step))
  await act('POST /auth/second-factor', 'session.started', second, mimir)
  const session = cookieIn(await second)
  const changed = sendForm(mimir, url, '/auth/account', { action: 'remove-totp' }, session)
  await act('POST /auth/account', 'factor.removed', changed, mimir)
  const link = sendForm(mimir, url, '/auth/link', { provider: PROVIDER }, session)
  await act('POST /auth/link', undefined, link, mimir)
  const out = sendForm(mimir, url, '/auth/logout', {}, session)
  await act('POST /auth/logout', 'session.ended', out, mimir)
  const signedIn = sendForm(mimir, url, '/auth/sign-in', password)
  await act('POST /auth/sign-in', 'session.started', signedIn, mimir)
}

async function walkProvider(act: Act, sso: Sso): Promise<void> {
  const { mimir, url, idp } = sso
  const codeVerifier = 'v'.repeat(43)
  const challenge = createHash('sha256').update(codeVerifier).digest('base64url')
  const query = `&app_redirect=mimir://signed-in&app_challenge=${challenge}`
  const browser = new WebBrowser()
  const callback = await sso.toCallback(browser, 'anna', query)
  const { text } = await browser.request(callback, { headers: { accept: '*/*' } })
  const code = new URL(JSON.parse(text).location).searchParams.get('code')
  const redeemed = mimir.rest().post('/api/auth/app-code/redeem', { code, codeVerifier })
  const redeem = 'POST /api/auth/app-code/redeem'
  await act(redeem, 'session.started', redeemed, mimir)
  await mimir.command('user.reset-password', { user: 'anna', password: 'a long password' })
  const login = { usernameOrEmail: 'anna', password: 'a long password' }
  const pair = assertDone(await mimir.rest().post('/api/auth/login', login))
  const [identity] = assertDone(await mimir.rest(pair.accessToken).get('/api/me/identities'))
  const now = Math.floor(mimir.clock.now() / 1000)
  const token = await idp.sign({
    iss: idp.issuer,
    aud: 'mimir',
    sub: 'anna',
    iat: now,
    exp: now + 60,
    jti: 'once',
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
  })
  const logout = sendForm(mimir, url, '/auth/backchannel-logout', { logout_token: token })
  await act('POST /auth/backchannel-logout', 'session.ended', logout, mimir)
  const path = `/api/me/identities/${identity.id}`
  const unlinked = mimir.rest(pair.accessToken).delete(path)
  await act('DELETE /api/me/identities/{id}', 'identity.unlinked', unlinked, mimir)
}

/** A form as a browser submits it from one of our pages. */
function sendForm(
  mimir: Appliance,
  origin: string,
  path: string,
  fields: Record<string, string>,
  cookie = '',
): Promise<Reply> {
  const headers = { origin, 'content-type': 'application/x-www-form-urlencoded' }
  const rest = mimir.rest().with({ ...headers, ...(cookie ? { cookie } : {}) })
  return rest.send('POST', path, new URLSearchParams(fields).toString())
}

function cookieIn({ headers }: Reply): string {
  return headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
}
