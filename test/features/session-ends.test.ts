import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MINUTE } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import type { Person, SignedIn } from '../harness/people.ts'
import { assertDone, type Rest } from '../harness/rest.ts'
import { startSso } from '../harness/sso.ts'
import { changes, cursorOf, type SyncEvent } from '../harness/sync.ts'
import { WebBrowser } from '../harness/web-browser.ts'

/** The appliance's default public URL. */
const ORIGIN = 'http://localhost:8080'
const REGULATED = { MIMIR_ENABLE_HIPAA: 'true', MIMIR_PUBLIC_URL: 'https://chat.example.org' }
const DEVICE = { fcmToken: 'the token of the phone', platform: 'Android' }

interface Scene {
  readonly mimir: Appliance
  readonly ann: Person
  /** The device whose session ends. */
  readonly phone: SignedIn
  readonly sessionId: string
}

/** The ways in which a token session ends. */
const WAYS: Record<string, (scene: Scene) => Promise<unknown>> = {
  'a logout': ({ mimir, phone: { refreshToken } }) =>
    mimir.rest().post('/api/auth/logout', { refreshToken }),
  'a revocation': ({ ann, sessionId }) => ann.rest.delete(`/api/me/sessions/${sessionId}`),
  'the sign-out of all other devices': ({ ann }) => ann.rest.delete('/api/me/sessions'),
  'a password reset by an administrator': ({ mimir }) =>
    mimir.command('user.reset-password', { user: 'ann' }),
  'a revocation by an administrator': ({ mimir }) =>
    mimir.command('user.revoke-sessions', { user: 'ann' }),
  async 'a time without use'({ mimir }) {
    // Records the last use of each session.
    await mimir.app.jobs.runNow('end-idle-sessions')
    mimir.clock.advance(16 * MINUTE)
    await mimir.app.jobs.runNow('end-idle-sessions')
  },
  async 'a lockdown'({ mimir }) {
    await mimir.command('lockdown.start')
    await mimir.command('lockdown.lift')
  },
}

async function currentSession(rest: Rest): Promise<string> {
  const sessions = assertDone(await rest.get('/api/me/sessions'))
  return sessions.find(({ current }: { current: boolean }) => current).id
}

async function pushTokens({ app }: Appliance): Promise<string[]> {
  const rows = await app.ctx.db.read.selectFrom('push_devices').select('token').execute()
  return rows.map(({ token }) => token)
}

const revokedIn = (events: SyncEvent[]) =>
  events.filter(({ type }) => type === 'SessionRevoked').map(({ data }) => data.sessionId)

for (const [name, end] of Object.entries(WAYS)) {
  test(`${name} ends the pushes to the device, and a sync tells of it`, async () => {
    const regulated = name === 'a time without use' ? { env: REGULATED } : {}
    await using mimir = await boot(regulated)
    const ann = await mimir.person('ann')
    const cursor = await cursorOf(ann.rest)
    const phone = await ann.signIn()
    const rest = mimir.rest(phone.accessToken)
    const sessionId = await currentSession(rest)
    assertDone(await rest.post('/api/me/devices', DEVICE), 204)

    const result = await end({ mimir, ann, phone, sessionId })
    assert.deepEqual(await pushTokens(mimir), [])
    const password = (result as { password?: string } | undefined)?.password ?? ann.password
    const login = { usernameOrEmail: 'ann', password }
    const again = assertDone(await mimir.rest().post('/api/auth/login', login))
    const { events } = await changes(mimir.rest(again.accessToken), cursor)
    assert.ok(revokedIn(events).includes(sessionId))
  })
}

test('a browser’s sign-out ends the pushes to it, and the other devices are told', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const hub = await ann.connect()
  const body = new URLSearchParams({ usernameOrEmail: 'ann', password: ann.password })
  const headers = { origin: ORIGIN, accept: '*/*' }
  const signedIn = await fetch(`${mimir.url}/auth/sign-in`, { method: 'POST', headers, body })
  const cookie = signedIn.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  const rest = mimir.rest().with({ cookie, origin: ORIGIN })
  const sessionId = await currentSession(rest)
  assertDone(await rest.post('/api/me/devices', DEVICE), 204)

  const out = { method: 'POST', headers: { cookie, origin: ORIGIN } }
  assert.equal((await fetch(`${mimir.url}/auth/logout`, out)).status, 200)
  assert.deepEqual(await pushTokens(mimir), [])
  assert.deepEqual(await hub.event('SessionRevoked'), { sessionId })
})

test('a back-channel logout ends the pushes to the browser, and a sync tells of it', async () => {
  await using sso = await startSso()
  sso.idp.people.set('anna', { email: 'anna@example.org', email_verified: true })
  const browser = new WebBrowser()
  await sso.signIn(browser, 'anna')
  const restOf = (of: WebBrowser) => {
    const cookie = `mimir_session=${of.cookie(sso.url, 'mimir_session')}`
    return sso.mimir.rest().with({ cookie, origin: sso.url })
  }
  const rest = restOf(browser)
  const sessionId = await currentSession(rest)
  const cursor = await cursorOf(rest)
  assertDone(await rest.post('/api/me/devices', DEVICE), 204)

  const now = Math.floor(sso.mimir.clock.now() / 1000)
  const claims = {
    iss: sso.idp.issuer,
    aud: 'mimir',
    sub: 'anna',
    iat: now,
    exp: now + 120,
    jti: crypto.randomUUID(),
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
  }
  const body = new URLSearchParams({
    logout_token: await sso.idp.sign(claims, { typ: 'logout+jwt' }),
  })
  const told = await fetch(`${sso.url}/auth/backchannel-logout`, { method: 'POST', body })
  assert.equal(told.status, 200, await told.text())
  assert.deepEqual(await pushTokens(sso.mimir), [])
  const another = new WebBrowser()
  await sso.signIn(another, 'anna')
  const { events } = await changes(restOf(another), cursor)
  assert.deepEqual(revokedIn(events), [sessionId])
})
