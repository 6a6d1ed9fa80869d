import { connect } from 'node:net'
import { SignJWT } from 'jose'
import { sql } from 'kysely'
import type { AnyRoute } from '../../src/http/define-route.ts'
import { PNG, upload } from '../harness/attachments.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import type { Person } from '../harness/people.ts'
import { Browser } from '../harness/push-services.ts'
import { assertDone } from '../harness/rest.ts'

const PREFIX = '/mimir'
/** Longer than the lifetime of an access token. */
const LONG_AGO = 20 * 60_000
/** Tables that record refusals, or that background jobs may still update. */
const MAY_GROW = new Set(['push_progress', 'audit_events', 'audit_chain', 'events', 'migrations'])

/** An appliance with everything that routes can name, so that a request that is let through has an effect. */
export interface Scene extends AsyncDisposable {
  readonly mimir: Appliance
  readonly prefixes: readonly string[]
  /** An administrator, who owns a group and has a friend, a request and a message. */
  readonly alice: Person
  /** Her friend: no administrator. */
  readonly bob: Person
  /** A stranger to the group. */
  readonly carol: Person
  readonly groupId: string
  readonly messageId: string
  /** The route's path with ids of existing things, except for the given parameters. */
  path(route: Pick<AnyRoute, 'path'>, params?: Readonly<Record<string, string>>): string
  /** Acceptable field values by name. */
  readonly good: Readonly<Record<string, unknown>>
  /** The rows of all tables that a refusal must not change. */
  rows(): Promise<Record<string, string[]>>
}

export async function setScene(given?: Appliance): Promise<Scene> {
  const env = { MIMIR_PUBLIC_URL: `https://chat.example.org${PREFIX}` }
  const mimir = given ?? (await boot({ jobs: 'by hand', env }))
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [carol, dave] = [await mimir.person('carol'), await pendingUser(mimir, 'dave')]
  await mimir.command('user.set-role', { user: 'alice', role: 'admin' })
  const groupId = await alice.group('a group', bob)
  await alice.dm(bob)
  const { id: messageId } = await alice.say(groupId, 'hello')
  const attachment = assertDone(await upload(mimir, alice, PNG), 201)
  const request = await carol.rest.post('/api/friends/requests', {
    friendKey: await alice.friendKey(),
  })
  const { id: requestId } = assertDone(request, 201)
  const invitation = await mimir.command('invite.create')
  const [session] = assertDone(await alice.rest.get('/api/me/sessions'))
  const device = { fcmToken: 'a-push-token', platform: 'Android' }
  assertDone(await alice.rest.post('/api/me/devices', device), 204)
  const { subscription } = new Browser('https://push.example.org/alice')
  const path = '/api/me/push-subscriptions'
  const { id: subscriptionId } = assertDone(await alice.rest.post(path, subscription), 201)

  const reason = { reason: 'not nice' }
  assertDone(await bob.rest.post(`/api/messages/${messageId}/report`, reason), 204)
  const [report] = assertDone(await alice.rest.get('/api/admin/reports'))

  const node = { type: 'memory', id: 'a-node' }
  assertDone(await alice.rest.post('/api/nodes', node), 201)
  const key = await mimir.command('apikey.create', { name: 'a service' })
  const proof = { currentPassword: alice.password }
  const archive = assertDone(await alice.rest.post('/api/privacy/export', proof), 202)
  await mimir.app.jobs.runNow('make-exports')
  const agreement = { purpose: 'terms', version: '1' }
  const consent = assertDone(await alice.rest.post('/api/privacy/consents', agreement), 201)
  const hook = await alice.rest.post(`/api/conversations/${groupId}/webhooks`, {
    kind: 'incoming',
    name: 'a webhook',
  })
  const webhook = assertDone(hook, 201)
  const hookToken = webhook.url.split('/').at(-1)

  /** What `{id}` refers to depends on the path before it. */
  const ids: [part: string, id: string][] = [
    ['/friends/requests/{id}', requestId],
    ['/conversations/{id}', groupId],
    ['/messages/{id}', messageId],
    ['/attachments/{id}', attachment.id],
    ['/admin/reports/{id}', report.id],
    ['/me/sessions/{id}', session.id],
    ['/me/push-subscriptions/{id}', subscriptionId],
    ['/me/devices/{id}', subscriptionId],
    ['/admin/invitations/{id}', invitation.id],
    ['/admin/users/{id}', dave],
    ['/nodes/{id}', node.id],
    ['/nodes/types/', node.id],
    // Routes that refuse before looking at the id, or whose object cannot be made without a provider.
    ['/me/identities/{id}', invitation.id],
    ['/me/passkeys/{id}', invitation.id],
    ['/me/oauth-grants/{id}', invitation.id],
    ['/keys/{id}', key.id],
    ['/privacy/export/{id}', archive.id],
    ['/privacy/consents/{id}', consent.id],
    ['/privacy/anonymize/{id}', dave],
  ]
  const others: Record<string, string> = {
    userId: bob.id,
    webhookId: webhook.id,
    type: node.type,
    conversationId: groupId,
    emoji: encodeURIComponent('👍'),
    name: 'alice',
    nsid: 'blue.catbird.mls.sendMessage',
  }
  const idFor = (path: string, name: string) => {
    if (name === 'token' && path.startsWith('/hooks')) return hookToken
    if (name === 'token') return path.startsWith('/join') ? invitation.token : device.fcmToken
    const id = name === 'id' ? ids.find(([part]) => path.includes(part))?.[1] : others[name]
    if (!id) throw new Error(`the scene has nothing for {${name}} in ${path}`)
    return id
  }

  return {
    mimir,
    prefixes: ['', PREFIX],
    alice,
    bob,
    carol,
    groupId,
    messageId,
    path: ({ path }, params = {}) =>
      path.replaceAll(/\{(\w+)\}/g, (_, name) => params[name] ?? idFor(path, name)),
    good: {
      invitationToken: invitation.token,
      email: 'newcomer@example.org',
      username: 'newcomer',
      usernameOrEmail: alice.name,
      refreshToken: alice.refreshToken,
      friendKey: await carol.friendKey(),
      currentPassword: alice.password,
      platform: 'Ios',
      endpoint: 'https://push.example.org/another',
      keys: subscription.keys,
      type: 'Group',
      memberIds: [bob.id],
      attachmentIds: [attachment.id],
      decision: 'approve',
      role: 'Admin',
      url: 'https://hooks.example.org/in',
      botId: webhook.bot.id,
    },
    rows: () => rowsOf(mimir),
    async [Symbol.asyncDispose]() {
      if (!given) await mimir[Symbol.asyncDispose]()
    },
  }
}

async function pendingUser(mimir: Appliance, username: string): Promise<string> {
  const { token: invitationToken } = await mimir.command('invite.create')
  const email = `${username}@example.org`
  const account = { invitationToken, email, username, password: 'a long password' }
  return assertDone(await mimir.rest().post('/api/auth/register', account)).userId
}

async function rowsOf(mimir: Appliance): Promise<Record<string, string[]>> {
  const { read, kind } = mimir.app.ctx.db.engine
  const tables = await read.introspection.getTables()
  const found: Record<string, string[]> = {}
  const schema =
    kind === 'postgres'
      ? (await sql<{ name: string }>`select current_schema() as name`.execute(read)).rows[0]?.name
      : undefined
  for (const table of tables) {
    if (table.schema !== schema || MAY_GROW.has(table.name)) continue
    const { rows } = await sql`select * from ${sql.table(table.name)}`.execute(read)
    found[table.name] = rows.map((row) => JSON.stringify(row)).sort()
  }
  return found
}

/** The response to a WebSocket request that is refused. */
export function askForSocket(scene: Scene, path: string, header = ''): Promise<string> {
  const { hostname, port } = new URL(scene.mimir.url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let answer = ''
    socket.setEncoding('utf8').on('data', (text) => {
      answer += text
      if (answer.includes('requestId')) socket.destroy()
    })
    socket.once('close', () => resolve(answer)).once('error', reject)
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${header}` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    )
  })
}

/** A request body without Content-Length; Bun would know the length of a blob's own stream. */
export function sendStreamed(who: Person, url: string, method: string, text: string) {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.from(text))
      controller.close()
    },
  })
  const headers = { authorization: `Bearer ${who.accessToken}` }
  return fetch(url, { method, headers, body, duplex: 'half' } as RequestInit)
}

/** Invalid access tokens by what is wrong with them. */
export async function badTokens({ mimir, alice }: Scene): Promise<Record<string, string>> {
  const { keyring, config } = mimir.app.ctx
  const { id, key } = keyring.current('jwt')
  const now = Math.floor(mimir.clock.now() / 1000)
  const mint = (change: object, signedBy: Uint8Array = key, header: object = {}) =>
    new SignJWT({
      sub: alice.id,
      jti: 'test',
      iss: config.jwt.issuer,
      aud: config.jwt.audience,
      nbf: now,
      exp: now + 600,
      ...change,
    })
      .setProtectedHeader({ alg: 'HS256', kid: id, ...header })
      .sign(signedBy)
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const claims = (await mint({})).split('.')[1] as string

  mimir.clock.advance(-LONG_AGO)
  const { accessToken: expired } = await mimir.person('erin')
  mimir.clock.advance(LONG_AGO)
  const suspended = await mimir.person('mallory')
  await mimir.command('user.suspend', { user: 'mallory' })
  const pending = await pendingUser(mimir, 'niaj')
  const revoked = await mimir.person('trudy')
  const { refreshToken } = revoked
  assertDone(await mimir.rest().post('/api/auth/logout', { refreshToken }), 204)

  return {
    garbage: 'garbage',
    'three dots': 'a.b.c',
    'very long': 'x'.repeat(4000),
    unsigned: `${encode({ alg: 'none' })}.${claims}.`,
    'by another key': await mint({}, new Uint8Array(32)),
    'by another key of an unknown name': await mint({}, new Uint8Array(32), { kid: 'other' }),
    'by a longer algorithm': await mint({}, Buffer.alloc(64, key), { alg: 'HS512' }),
    'for another audience': await mint({ aud: 'somebody-else' }),
    'by another issuer': await mint({ iss: 'somebody-else' }),
    'not yet valid': await mint({ nbf: now + 300 }),
    'past its time': await mint({ exp: now - 60 }),
    'of nobody': await mint({ sub: '01900000-0000-7000-8000-000000000000' }),
    'of no user id': await mint({ sub: 'alice' }),
    'of an unknown session': await mint({ sid: '01900000-0000-7000-8000-000000000000' }),
    'a refresh token': alice.refreshToken,
    expired,
    'of a suspended user': suspended.accessToken,
    'of a suspended user, and no session': await mint({ sub: suspended.id }),
    'of somebody not yet let in': await mint({ sub: pending }),
    'of a revoked session': revoked.accessToken,
  }
}
