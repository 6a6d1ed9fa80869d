import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hubMethods, routes, tools, xrpcMethods } from '../../src/app/features.ts'
import type { Appliance } from '../harness/boot.ts'
import type { HubClient } from '../harness/hub.ts'
import { makeKey } from '../harness/keys.ts'
import { assertDone, type Rest } from '../harness/rest.ts'
import { bootTwoTenants } from '../harness/tenants.ts'
import { setScene } from '../refusals/scene.ts'
import { walkable } from '../refusals/xrpc-values.ts'
import { type Call, fillTenant, type Theirs } from './theirs.ts'

/** Several callers take turns, since only so many refusals per caller and minute are recorded. */
const CALLERS = 8

/** Parts that differ between calls: times and confirmation ids. */
const OF_THE_CALL = /\d{4}-\d\d-\d\dT[\d:.]+Z|(?<=confirmationId\W+)[\w-]{22}/g

/** Responses for unknown things other than 404, or 403 for conversations and their messages. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'GET /join/{token}': '400',
  'POST /join/{token}': '400',
  'POST /api/auth/register': '400',
  'POST /api/auth/login': '401',
  'POST /api/auth/refresh': '401',
  // Idempotent deletions succeed without saying whose it was.
  'POST /api/auth/logout': '204',
  'DELETE /api/me/devices/{token}': '204',
  'POST /api/conversations': '400',
  // Pages after an unknown cursor, and things of ours that may have the same name.
  'GET /api/admin/reports': '200',
  'GET /api/call/missed': '200',
  'GET /api/audit': '200',
  'POST /api/nodes': '201',
  'mcp:memory_node/add': '200',
  'mcp:audit_read/only': '200',
  // The confirmation comes first.
  'mcp:memory_batch/delete_edges': '200',
  // There are no packages there; other input errors come first.
  'xrpc:blue.catbird.mls.getKeyPackages': '200',
  'xrpc:blue.catbird.mls.updateCursor': '400',
  'xrpc:blue.catbird.mls.publishKeyPackage': '400',
  // Signals to nobody are dropped silently.
  'hub:Typing': 'done',
  'hub:SendIceCandidate': 'done',
  'hub:RejectCall': 'done',
  'hub:EndCall': 'done',
  'hub:OfferCall': 'not_friends',
  'hub:Resume': 'invalid_cursor',
}
/** Tools and the hub have codes instead of a status. */
const UNKNOWN = /^(404|403) |"code":"(\w*not_found|forbidden|not_member|invalid_confirmation)"/

/** What was answered and audited, without the parts that differ between calls. */
interface Told {
  readonly answer: string
  readonly audited: string
}

/** Returns a function that reads the audit events recorded since. */
async function auditFrom({ app }: Appliance): Promise<() => Promise<string>> {
  const events = async () =>
    (await app.ctx.db.read.selectFrom('audit_events').selectAll().orderBy('id').execute()).map(
      ({ type, outcome, target_type, target_id, operation, details }) =>
        JSON.stringify([type, outcome, target_type, target_id, operation, details]),
    )
  const before = (await events()).length
  return async () => (await events()).slice(before).join('\n')
}

async function ask(rest: Rest, { verb, path, body }: Call): Promise<string> {
  const isStream = path.includes('subscribeConvoEvents')
  const reply = await (isStream ? rest.probe(path) : rest.send(verb, path, body))
  const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? null)
  const requestId = reply.headers.get('x-request-id') ?? ' '
  return `${reply.status} ${text.replaceAll(requestId, 'REQUEST').replaceAll(OF_THE_CALL, 'X')}`
}

async function tell(ours: Appliance, work: () => Promise<string>): Promise<Told> {
  const audited = await auditFrom(ours)
  return { answer: await work(), audited: await audited() }
}

/** Names a thing of theirs, then one that does not exist: the responses must be the same. */
async function compare(
  ours: Appliance,
  { twins }: Theirs,
  call: Call,
  attempt: (call: Call) => Promise<string>,
): Promise<string> {
  const unknown = {
    ...call,
    path: twins.unknown(call.path),
    body: call.body && twins.unknown(call.body),
  }
  const there = await tell(ours, () => attempt(call))
  const nowhere = await tell(ours, () => attempt(unknown))
  assert.equal(there.answer, twins.known(nowhere.answer), `${call.name} ${call.path} ${call.body}`)
  assert.equal(there.audited, twins.known(nowhere.audited), call.name)
  return there.answer
}

function namesSomething({ twins }: Theirs, { path, body = '' }: Call): boolean {
  return twins.in(path + body).length > 0
}

test('what is there in another tenant is as unknown as what is nowhere, to every operation of every transport', async () => {
  await using servers = await bootTwoTenants()
  const { acme, beta } = servers
  const theirs = await fillTenant(acme)
  // Our tenant has all of that too, of its own.
  const scene = await setScene(beta)
  const people: Rest[] = []
  for (let n = 0; n < CALLERS; n++) people.push((await beta.admin(`admin_${n}`)).rest)
  const { key } = await makeKey(beta, 'wide', { user: 'alice', scopes: ['*', 'mcp:admin'] })
  // The first use of a key is audited separately.
  assertDone(await beta.rest(key).get('/api/me'))
  const rowsBefore = await theirs.rows()
  const auditOfTheirs = await auditFrom(acme)
  let compared = 0
  const look = (name: string, answer: string) => {
    compared++
    const expected = OTHERWISE[name]
    if (expected === undefined) assert.match(answer, UNKNOWN, name)
    else
      assert.ok(
        answer.startsWith(expected) || answer.includes(`"${expected}"`),
        `${name} ${answer}`,
      )
  }
  let turn = 0
  const walk = async (call: Call, rest: Rest) => {
    if (namesSomething(theirs, call)) {
      look(call.name, await compare(beta, theirs, call, (one) => ask(rest, one)))
      return
    }
    // Calls that name nothing may still reveal something; those that change ours get an invalid body.
    const harmless = call.verb === 'GET' ? call : { ...call, body: '{' }
    assert.deepEqual(theirs.twins.in(await ask(rest, harmless)), [], call.name)
  }

  for (const call of theirs.calls) await walk(call, people[turn++ % CALLERS] as Rest)
  for (const walked of await walkable()) {
    await walk(theirs.xrpc(walked), people[turn++ % CALLERS] as Rest)
  }
  for (const call of theirs.tools) await walk(call, beta.rest(key))

  const hub = await scene.alice.connect()
  for (const method of hubMethods) {
    const call = {
      name: `hub:${method.name}`,
      verb: 'hub',
      path: JSON.stringify(theirs.hub(method)),
    }
    assert.ok(
      namesSomething(theirs, { ...call, body: undefined }) || method.name === 'Resume',
      call.name,
    )
    const answer = await compare(beta, theirs, { ...call, body: undefined }, ({ path }) =>
      invoke(hub, method.name, JSON.parse(path)),
    )
    look(call.name, answer)
  }

  assert.deepEqual(await theirs.rows(), rowsBefore)
  assert.equal(await auditOfTheirs(), '')
  console.log(
    `walked ${routes.length} routes, ${hubMethods.length} hub methods, ${xrpcMethods.length} XRPC methods, ${tools.length} tools for two tenants; ${compared} operations named something`,
  )
})

async function invoke(hub: HubClient, method: string, args: unknown[]): Promise<string> {
  try {
    return `done ${JSON.stringify(await hub.invoke(method, ...args))}`
  } catch (error) {
    return `refused "code":"${/HubException: (\w+)$/.exec(String(error))?.[1]}"`
  }
}
