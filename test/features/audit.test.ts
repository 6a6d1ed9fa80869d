import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { hubMethods, routes } from '../../src/app/features.ts'
import { operationOf } from '../../src/http/define-route.ts'
import { PNG, upload } from '../harness/attachments.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { MailServer } from '../harness/mail-server.ts'
import { Browser } from '../harness/push-services.ts'
import { assertDone, type Reply } from '../harness/rest.ts'
import { walkOAuth } from './audit-of-oauth.ts'
import { walkSignIn } from './audit-of-sign-in.ts'

function eventsOf(mimir: Appliance, requestId: string | null) {
  return mimir.app.ctx.db.read
    .selectFrom('audit_events')
    .selectAll()
    .where('request_id', '=', requestId)
    .execute()
}

test('every route that changes something leaves exactly one event, and sending a message none', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ env: { MIMIR_OUTBOUND_ALLOW: '127.0.0.1' } })
  await using mailing = await boot({ env: mail.env })
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const dora = await mimir.person('dora')
  await mimir.command('user.set-role', { user: 'alice', role: 'admin' })
  const walked = new Set<string>()

  /** Runs the route and checks the events it left: none without a type. Returns the response body. */
  async function act(
    operation: string,
    type: string | undefined,
    reply: Promise<Reply>,
    on = mimir,
  ) {
    const { status, headers, body } = await reply
    assert.ok(status < 400, `${operation}: ${status} ${JSON.stringify(body)}`)
    const events = await eventsOf(on, headers.get('x-request-id'))
    assert.deepEqual(
      events.map((event) => [event.operation, event.type, event.outcome]),
      type ? [[operation, type, 'allow']] : [],
    )
    walked.add(operation)
    return body
  }

  const newcomer = async (name: string, on = mimir) => ({
    invitationToken: (await on.command('invite.create')).token,
    ...{ email: `${name}@example.org`, username: name, password: 'long enough' },
  })
  const register = 'POST /api/auth/register'
  const { userId: eve } = await act(
    register,
    'account.registered',
    mimir.rest().post('/api/auth/register', await newcomer('eve')),
  )
  const { invitationToken, ...fields } = await newcomer('fred')
  await act(
    'POST /join/{token}',
    'account.registered',
    mimir.rest().send('POST', `/join/${invitationToken}`, String(new URLSearchParams(fields))),
  )
  const gina = await newcomer('gina', mailing)
  const { email } = gina
  const anyone = mailing.rest()
  const from = '/api/auth'
  await act(register, 'account.registered', anyone.post(`${from}/register`, gina), mailing)
  const resent = anyone.post(`${from}/resend-verification`, { email })
  await act('POST /api/auth/resend-verification', 'account.verification_resent', resent, mailing)
  const form = String(new URLSearchParams({ email }))
  const again = anyone.send('POST', '/resend-verification', form)
  await act('POST /resend-verification', 'account.verification_resent', again, mailing)
  const verified = anyone.get(`${from}/verify-email?token=${await mail.token(email, 2)}`)
  await act('GET /api/auth/verify-email', 'account.email_verified', verified, mailing)
  await mailing.command('user.approve', { user: 'gina' })
  const { password } = gina
  const signedIn = assertDone(
    await anyone.post(`${from}/login`, { usernameOrEmail: 'gina', password }),
  )
  const moved = { email: 'gina2@example.org', currentPassword: password }
  const wished = mailing.rest(signedIn.accessToken).put('/api/me/email', moved)
  await act('PUT /api/me/email', 'account.email_change_requested', wished, mailing)
  const confirmed = anyone.get(`${from}/verify-email?token=${await mail.token(moved.email)}`)
  await act('GET /api/auth/verify-email', 'account.email_changed', confirmed, mailing)
  for (const [n, path] of [`${from}/reset-password`, '/reset-password'].entries()) {
    const { email } = moved
    const page = '/forgot-password'
    const asked =
      n === 0
        ? anyone.post(`${from}/forgot-password`, { email })
        : anyone.send('POST', page, String(new URLSearchParams({ email })))
    const operation = n === 0 ? `${from}${page}` : page
    await act(`POST ${operation}`, 'account.reset_requested', asked, mailing)
    const token = await mail.token(moved.email, n + 2)
    const given = { token, newPassword: 'forgotten before' }
    const reset =
      n === 0
        ? anyone.post(path, given)
        : anyone.send('POST', `${path}?token=${token}`, String(new URLSearchParams(given)))
    await act(`POST ${path}`, 'account.password_reset', reset, mailing)
  }

  const signIn = { usernameOrEmail: 'dora', password: dora.password }
  const login = 'POST /api/auth/login'
  const one = await act(login, 'session.started', mimir.rest().post('/api/auth/login', signIn))
  const refreshed = mimir.rest().post('/api/auth/refresh', { refreshToken: one.refreshToken })
  const { refreshToken } = await act('POST /api/auth/refresh', 'session.refreshed', refreshed)
  const logout = mimir.rest().post('/api/auth/logout', { refreshToken })
  await act('POST /api/auth/logout', 'session.ended', logout)
  const key = 'POST /api/me/regenerate-friend-key'
  await act(key, 'account.friend_key_changed', dora.rest.post('/api/me/regenerate-friend-key'))
  await mimir.rest().post('/api/auth/login', signIn)
  const sessions = assertDone(await dora.rest.get('/api/me/sessions'))
  const other = sessions.find(({ current }: { current: boolean }) => !current)
  const called = dora.rest.patch(`/api/me/sessions/${other.id}`, { name: 'the old phone' })
  await act('PATCH /api/me/sessions/{id}', 'session.renamed', called)
  const revoke = dora.rest.delete(`/api/me/sessions/${other.id}`)
  await act('DELETE /api/me/sessions/{id}', 'session.revoked', revoke)
  const linked = dora.rest.post('/api/auth/link-device')
  const { code } = await act('POST /api/auth/link-device', 'session.link_made', linked)
  const redeem = 'POST /api/auth/link-device/redeem'
  const redeemed = mimir.rest().post('/api/auth/link-device/redeem', { code })
  await act(redeem, 'session.started', redeemed)
  const others = dora.rest.delete('/api/me/sessions')
  await act('DELETE /api/me/sessions', 'session.revoked', others)
  const named = dora.rest.patch('/api/me', { displayName: 'Dora' })
  await act('PATCH /api/me', 'account.profile_changed', named)
  const device = { fcmToken: 'token-1', platform: 'Android' }
  const registered = dora.rest.post('/api/me/devices', device)
  await act('POST /api/me/devices', 'device.registered', registered)
  const removed = dora.rest.delete('/api/me/devices/token-1')
  await act('DELETE /api/me/devices/{token}', 'device.removed', removed)
  const { subscription } = new Browser('https://127.0.0.1:9/push')
  const subscriptions = '/api/me/push-subscriptions'
  const subscribed = dora.rest.post(subscriptions, subscription)
  const browser = await act(`POST ${subscriptions}`, 'device.registered', subscribed)
  const tested = dora.rest.post(`/api/me/devices/${browser.id}/test`)
  await act('POST /api/me/devices/{id}/test', 'device.tested', tested)
  const unsubscribed = dora.rest.delete(`${subscriptions}/${browser.id}`)
  await act(`DELETE ${subscriptions}/{id}`, 'device.removed', unsubscribed)

  const ask = async (by: typeof alice) => {
    const reply = by.rest.post('/api/friends/requests', { friendKey: await dora.friendKey() })
    return (await act('POST /api/friends/requests', 'friend.requested', reply)).id
  }
  const rejected = dora.rest.post(`/api/friends/requests/${await ask(alice)}/reject`)
  await act('POST /api/friends/requests/{id}/reject', 'friend.rejected', rejected)
  const accepted = dora.rest.post(`/api/friends/requests/${await ask(bob)}/accept`)
  await act('POST /api/friends/requests/{id}/accept', 'friend.accepted', accepted)
  const unfriended = dora.rest.delete(`/api/friends/${bob.id}`)
  await act('DELETE /api/friends/{userId}', 'friend.removed', unfriended)
  const block = `/api/friends/${bob.id}/block`
  await act('POST /api/friends/{userId}/block', 'friend.blocked', dora.rest.post(block))
  await act('DELETE /api/friends/{userId}/block', 'friend.unblocked', dora.rest.delete(block))

  const group = { type: 'Group', name: 'duo', memberIds: [bob.id] }
  const made = alice.rest.post('/api/conversations', group)
  const { id } = await act('POST /api/conversations', 'conversation.created', made)
  const path = `/api/conversations/${id}`
  const template = '/api/conversations/{id}'
  const renamed = alice.rest.patch(path, { name: 'trio' })
  await act(`PATCH ${template}`, 'conversation.renamed', renamed)
  const added = alice.rest.post(`${path}/members`, { userId: cleo.id })
  await act(`POST ${template}/members`, 'conversation.member_added', added)
  const appointed = alice.rest.patch(`${path}/members/${bob.id}`, { role: 'Admin' })
  await act(`PATCH ${template}/members/{userId}`, 'conversation.role_changed', appointed)
  const left = cleo.rest.delete(`${path}/members/${cleo.id}`)
  await act(`DELETE ${template}/members/{userId}`, 'conversation.member_removed', left)
  await act(`POST ${template}/read`, undefined, bob.rest.post(`${path}/read`))

  await act(`POST ${template}/delivered`, undefined, bob.rest.post(`${path}/delivered`))
  const settings = alice.rest.put(`${path}/settings`, { muted: true, timerSeconds: 3600 })
  await act(`PUT ${template}/settings`, 'conversation.settings_changed', settings)

  const hook = alice.rest.post(`${path}/webhooks`, { kind: 'incoming', name: 'a bot' })
  const { id: hookId, url } = await act(`POST ${template}/webhooks`, 'webhook.created', hook)
  const byHook = mimir.rest().post(new URL(url).pathname, { text: 'x' })
  await act('POST /hooks/{token}', undefined, byHook)
  const unhooked = alice.rest.delete(`${path}/webhooks/${hookId}`)
  await act(`DELETE ${template}/webhooks/{webhookId}`, 'webhook.deleted', unhooked)

  for (const [operation, type, method] of [
    ['POST /api/attachments', 'attachment.uploaded', 'POST'],
    ['DELETE /api/attachments/{id}', 'attachment.deleted', 'DELETE'],
  ] as const) {
    const { id: file = '' } = method === 'DELETE' ? (await upload(mimir, alice, PNG)).body : {}
    const at = `/api/attachments${file && `/${file}`}`
    await act(operation, type, alice.rest.send(method, at, method === 'POST' ? 'x' : undefined))
  }
  const sent = alice.rest.post(`/api/messages/${id}`, { content: 'x' })
  const message = await act('POST /api/messages/{conversationId}', undefined, sent)
  const edited = alice.rest.patch(`/api/messages/${message.id}`, { content: 'y' })
  await act('PATCH /api/messages/{id}', 'message.edited', edited)
  const to = `/api/messages/${message.id}`
  const thumb = encodeURIComponent('👍')
  for (const [operation, type, reply] of [
    ['POST', 'message.reaction_added', () => bob.rest.post(`${to}/reactions/${thumb}`)],
    ['DELETE', 'message.reaction_removed', () => bob.rest.delete(`${to}/reactions/${thumb}`)],
  ] as const) {
    await act(`${operation} /api/messages/{id}/reactions/{emoji}`, type, reply())
  }
  const pin = '/api/messages/{id}/pin'
  await act(`POST ${pin}`, 'message.pinned', alice.rest.post(`${to}/pin`))
  await act(`DELETE ${pin}`, 'message.unpinned', alice.rest.delete(`${to}/pin`))
  const reported = bob.rest.post(`${to}/report`, { reason: 'not nice' })
  await act('POST /api/messages/{id}/report', 'message.reported', reported)
  const [report] = assertDone(await alice.rest.get('/api/admin/reports'))
  const resolved = alice.rest.post(`/api/admin/reports/${report.id}/resolve`)
  await act('POST /api/admin/reports/{id}/resolve', 'report.resolved', resolved)
  const deleted = alice.rest.delete(to)
  await act('DELETE /api/messages/{id}', 'message.deleted', deleted)

  const invited = alice.rest.post('/api/admin/invitations', {})
  const invitation = await act('POST /api/admin/invitations', 'invite.created', invited)
  const recalled = alice.rest.delete(`/api/admin/invitations/${invitation.id}`)
  await act('DELETE /api/admin/invitations/{id}', 'invite.revoked', recalled)
  for (const [decision, type] of [
    ['approve', 'account.approved'],
    ['suspend', 'account.suspended'],
  ] as const) {
    const decided = alice.rest.post(`/api/admin/users/${eve}/approve`, { decision })
    await act('POST /api/admin/users/{id}/approve', type, decided)
  }
  const keys = '/api/keys'
  const created = alice.rest.post(keys, { name: 'a key', service: 'a service' })
  const { id: keyId } = await act(`POST ${keys}`, 'api_key.created', created)
  const generated = alice.rest.post(`${keys}/generate`, { name: 'another key' })
  await act(`POST ${keys}/generate`, 'api_key.created', generated)
  const rotated = alice.rest.post(`${keys}/${keyId}/rotate`)
  await act(`POST ${keys}/{id}/rotate`, 'api_key.rotated', rotated)
  const ended = alice.rest.delete(`${keys}/${keyId}`)
  await act(`DELETE ${keys}/{id}`, 'api_key.revoked', ended)

  const nodes = '/api/nodes'
  const node = alice.rest.post(nodes, { type: 'memory', id: 'a-node' })
  await act(`POST ${nodes}`, 'node.created', node)
  for (const [method, field] of [
    ['PUT', 'properties'],
    ['PATCH', 'props'],
  ] as const) {
    const change = JSON.stringify({ [field]: { title: method } })
    const changed = alice.rest.send(method, `${nodes}/a-node`, change)
    await act(`${method} ${nodes}/{id}`, 'node.changed', changed)
  }
  await act(`POST ${nodes}/query`, undefined, alice.rest.post(`${nodes}/query`))
  await act(`DELETE ${nodes}/{id}`, 'node.deleted', alice.rest.delete(`${nodes}/a-node`))

  const proof = { currentPassword: dora.password }
  const asked = dora.rest.post('/api/privacy/export', proof)
  await act('POST /api/privacy/export', 'export.requested', asked)
  const unwanted = dora.rest.post('/api/privacy/erasure', proof)
  await act('POST /api/privacy/erasure', 'erasure.requested', unwanted)
  const kept = dora.rest.delete('/api/privacy/erasure')
  await act('DELETE /api/privacy/erasure', 'erasure.undone', kept)
  const agreed = dora.rest.post('/api/privacy/consents', { purpose: 'news', version: '1' })
  const consent = await act('POST /api/privacy/consents', 'consent.given', agreed)
  const withdrawn = dora.rest.delete(`/api/privacy/consents/${consent.id}`)
  await act('DELETE /api/privacy/consents/{id}', 'consent.withdrawn', withdrawn)
  const forgotten = alice.rest.post(`/api/privacy/anonymize/${eve}`)
  await act('POST /api/privacy/anonymize/{id}', 'erasure.finished', forgotten)
  const passwords = { currentPassword: dora.password, newPassword: 'another long one' }
  const changed = dora.rest.post('/api/auth/change-password', passwords)
  await act('POST /api/auth/change-password', 'account.password_changed', changed)

  await walkSignIn(act)
  await walkOAuth(act)
  const changing = routes.filter(({ method }) => method !== 'get').map(operationOf)
  const missing = changing.filter((operation) => !walked.has(operation))
  assert.deepEqual(missing, [], 'routes that this test does not walk')
})

/** The event that each hub method leaves; sending, reading and calling are not audited. */
const BY_METHOD: Record<string, string | undefined> = {
  SendMessage: undefined,
  MarkConversationRead: undefined,
  Typing: undefined,
  EditMessage: 'message.edited',
  React: 'message.reaction_added',
  DeleteMessage: 'message.deleted',
  OfferCall: undefined,
  AnswerCall: undefined,
  SendIceCandidate: undefined,
  RejectCall: undefined,
  EndCall: undefined,
  Resume: undefined,
}

test('every hub method, invoked once, leaves exactly the event that it should', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const [hub, bobs] = [await alice.connect(), await bob.connect()]
  const { id } = await hub.invoke('SendMessage', conversationId, 'x')
  const { cursor } = assertDone(await alice.rest.get('/api/sync'))

  const invoked: Record<string, () => Promise<unknown>> = {
    SendMessage: () => hub.invoke('SendMessage', conversationId, 'y'),
    MarkConversationRead: () => hub.invoke('MarkConversationRead', conversationId),
    Typing: () => hub.invoke('Typing', conversationId, true),
    EditMessage: () => hub.invoke('EditMessage', id, 'z'),
    React: () => hub.invoke('React', id, '👍', true),
    DeleteMessage: () => hub.invoke('DeleteMessage', id),
    OfferCall: () => hub.invoke('OfferCall', bob.id, 'sdp'),
    AnswerCall: () => bobs.invoke('AnswerCall', alice.id, 'sdp'),
    SendIceCandidate: () => hub.invoke('SendIceCandidate', bob.id, 'candidate'),
    EndCall: () => hub.invoke('EndCall', bob.id),
    RejectCall: () => bobs.invoke('RejectCall', alice.id),
    Resume: () => hub.invoke('Resume', cursor),
  }
  const names = hubMethods.map(({ name }) => name).sort()
  assert.deepEqual(Object.keys(BY_METHOD).sort(), names, 'methods that this test does not know')
  assert.deepEqual(Object.keys(invoked).sort(), names)
  for (const [name, invoke] of Object.entries(invoked)) {
    const before = (await hubEvents(mimir)).length
    await invoke()
    const left = (await hubEvents(mimir)).slice(before)
    const type = BY_METHOD[name]
    assert.deepEqual(
      left.map((event) => [event.operation, event.type, event.actor_id, event.target_id]),
      type ? [[`hub:${name}`, type, alice.id, id]] : [],
      name,
    )
  }
})

function hubEvents(mimir: Appliance) {
  return mimir.app.ctx.db.read
    .selectFrom('audit_events')
    .selectAll()
    .where('operation', 'like', 'hub:%')
    .orderBy('id')
    .execute()
}

test('a record names who, from where, in which session, and nothing that was said', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const rest = alice.rest.with({ 'user-agent': 'Phone/1.0' })

  const reply = await rest.post('/api/me/regenerate-friend-key')
  const [event] = await eventsOf(mimir, reply.headers.get('x-request-id'))

  const sessions = assertDone(await alice.rest.get('/api/me/sessions'))
  assert.equal(event?.actor_kind, 'user')
  assert.equal(event?.actor_id, alice.id)
  assert.equal(event?.session_id, sessions[0].id)
  assert.equal(event?.ip, '127.0.0.1')
  assert.match(event?.user_agent_hash ?? '', /^[0-9a-f]{64}$/)
  const everything = await mimir.app.ctx.db.read.selectFrom('audit_events').selectAll().execute()
  for (const secret of [reply.body.friendKey, alice.password, alice.refreshToken, 'Phone/1.0']) {
    assert.ok(!JSON.stringify(everything).includes(secret))
  }
})

test('an act that fails leaves no record of a success', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)

  const reply = await alice.rest.patch(`/api/conversations/${dm}`, { name: 'x' })
  assert.equal(reply.status, 400)
  assert.deepEqual(await eventsOf(mimir, reply.headers.get('x-request-id')), [])
  const unknown = await alice.rest.delete(`/api/messages/${randomUUID()}`)
  assert.equal(unknown.status, 403)
  const denied = await eventsOf(mimir, unknown.headers.get('x-request-id'))
  assert.deepEqual(
    denied.map(({ outcome }) => outcome),
    ['deny'],
  )
})
