import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hubMethods, routes } from '../src/app/features.ts'
import { type AnyRoute, operationOf, type Route } from '../src/http/define-route.ts'
import { usesAccessCodes } from '../src/policy/errors.ts'
import {
  PERMISSIONS,
  type Permission,
  permissionsOf,
  type Requirement,
} from '../src/policy/permissions.ts'
import { assertRefused, type Reply } from './harness/rest.ts'
import { askForSocket, badTokens, type Scene, sendStreamed, setScene } from './refusals/scene.ts'
import { type Field, fieldsOf, HOSTILE } from './refusals/values.ts'

/** This route is built from all the others. */
const DOCUMENT = { ...(routes[0] as AnyRoute), kind: 'raw', path: '/api/openapi.json' } as AnyRoute
const ROUTES = [...routes, DOCUMENT]
const NEGOTIATE = '/hubs/dm/negotiate?negotiateVersion=1'
const UPGRADE = '/hubs/dm'
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Everything the contract opens to anyone, and the pages that links lead to. */
const PUBLIC = [
  ...['register', 'login', 'refresh', 'logout', 'resend-verification'].map(
    (name) => `POST /api/auth/${name}`,
  ),
  ...['forgot-password', 'reset-password', 'link-device/redeem'].map(
    (name) => `POST /api/auth/${name}`,
  ),
  'GET /api/auth/verify-email',
  'GET /api/app/version',
  'GET /api/openapi.json',
  ...['/health', '/health/live', '/health/ready'].map((path) => `GET ${path}`),
  'GET /auth/status',
  'POST /hooks/{token}',
  ...['oauth-authorization-server', 'oauth-protected-resource', 'oauth-protected-resource/mcp'].map(
    (name) => `GET /.well-known/${name}`,
  ),
  ...['register', 'revoke', 'token'].map((name) => `POST /oauth/${name}`),
  ...['GET /', 'GET /join/{token}', 'POST /join/{token}', 'GET /verify-email'],
  ...['GET /reset-password', 'POST /reset-password', 'GET /link-device'],
  ...['/forgot-password', '/resend-verification'].flatMap((path) => [
    `GET ${path}`,
    `POST ${path}`,
  ]),
  ...['app-code/redeem', 'second-factor', 'second-factor/options', 'second-factor/set-up'].map(
    (name) => `POST /api/auth/${name}`,
  ),
  ...['passkey', 'passkey/options'].map((name) => `POST /api/auth/${name}`),
  ...['callback', 'config', 'login', 'logout', 'second-factor', 'sign-in', 'signed-out'].map(
    (name) => `GET /auth/${name}`,
  ),
  ...['backchannel-logout', 'logout', 'passkey', 'second-factor', 'sign-in'].map(
    (name) => `POST /auth/${name}`,
  ),
  ...['GET /.well-known/did.json', 'GET /u/{name}/did.json'],
  ...['GET /lexicons', 'GET /lexicons/{nsid}'],
]

/** Fields that have their own error code in the contract, even when they are missing. */
const OWN_CODES: Record<string, Record<string, string>> = {
  'GET /api/auth/verify-email': { token: 'missing_token' },
  'POST /api/me/devices': { platform: 'invalid_platform' },
  'POST /api/conversations': { type: 'invalid_type', memberIds: 'no_members' },
  'POST /api/admin/users/{id}/approve': { decision: 'invalid_decision' },
}

const isClosed = ({ permission }: AnyRoute) => permission !== 'public' && permission !== 'anyone'
const isPermission = (requirement: Requirement): requirement is Permission =>
  PERMISSIONS.some((permission) => permission === requirement)
const isJson = (route: AnyRoute): route is Route => route.kind === 'json'
const withBody = ROUTES.filter(isJson).filter((route) => route.body)
/** Routes that refuse a bad body; the others answer as usual. */
const judged = withBody.filter((route) => !route.alwaysDone)
const verb = (route: AnyRoute) => route.method.toUpperCase()

/** Runs the refusals and then asserts that no row has changed. */
async function changesNothing(scene: Scene, refusals: () => Promise<void>): Promise<void> {
  const before = await scene.rows()
  await refusals()
  assert.deepEqual(await scene.rows(), before)
}

function assertUnauthorized(reply: Reply, what: string, code = 'unauthorized'): void {
  assert.equal(reply.headers.get('www-authenticate'), 'Bearer', `${what}: ${reply.status}`)
  assertRefused(reply, 401, code)
}

test('the walk leaves no route out', () => {
  // Two routes with the same method and path would hide each other.
  const operations = new Set(ROUTES.map(operationOf))
  assert.equal(operations.size, ROUTES.length)
  assert.ok(withBody.length > 10)
  const open = ROUTES.filter((route) => !isClosed(route)).map(operationOf)
  assert.deepEqual(open.sort(), PUBLIC.toSorted())
  console.log(`walked ${ROUTES.length + 2} routes and ${hubMethods.length} hub methods`)
})

test('without a token nothing but what is public answers, with or without the public path', async () => {
  await using scene = await setScene()
  const rest = scene.mimir.rest()
  await changesNothing(scene, async () => {
    for (const prefix of scene.prefixes) {
      for (const route of ROUTES.filter(isClosed)) {
        const path = prefix + scene.path(route)
        const code = usesAccessCodes(operationOf(route)) ? 'unauthenticated' : 'unauthorized'
        assertUnauthorized(await rest.send(verb(route), path), path, code)
      }
      assertUnauthorized(await rest.post(prefix + NEGOTIATE), NEGOTIATE)
      const upgrade = await askForSocket(scene, prefix + UPGRADE)
      assert.match(
        upgrade,
        /^HTTP\/1.1 401 [\s\S]*www-authenticate: Bearer\r\n[\s\S]*unauthorized/i,
      )
    }
  })
})

test('a token that is forged, outdated, revoked or of a suspended user opens nothing', async () => {
  await using scene = await setScene()
  const tokens = await badTokens(scene)
  await changesNothing(scene, async () => {
    for (const [what, token] of Object.entries(tokens)) {
      const rest = scene.mimir.rest(token)
      for (const route of ROUTES.filter(isClosed)) {
        const reply = await rest.send(verb(route), scene.path(route))
        assertUnauthorized(reply, `${operationOf(route)} with a token ${what}`)
      }
      assertUnauthorized(await rest.post(NEGOTIATE), `negotiate with a token ${what}`)
      const inQuery = `${NEGOTIATE}&access_token=${token}`
      assertUnauthorized(await scene.mimir.rest().post(inQuery), `negotiate with a token ${what}`)
      const header = `Authorization: Bearer ${token}\r\n`
      assert.match(await askForSocket(scene, UPGRADE, header), /^HTTP\/1.1 401 /, what)
      const asQuery = await askForSocket(scene, `${UPGRADE}?access_token=${token}`)
      assert.match(asQuery, /^HTTP\/1.1 401 /, what)
    }
    for (const authorization of ['Bearer', 'Bearer a b', `Basic ${scene.alice.accessToken}`]) {
      const rest = scene.mimir.rest().with({ authorization })
      assertUnauthorized(await rest.get('/api/me'), authorization)
    }
  })
})

test('what asks for a permission that a member has not is forbidden to a member', async () => {
  await using scene = await setScene()
  const may = permissionsOf('member')
  const closed = ROUTES.filter(({ permission }) => isPermission(permission) && !may.has(permission))
  const forAdmins = ROUTES.filter(({ path }) =>
    /^\/api\/((admin|keys)(\/|$)|audit$|privacy\/anonymize\/)/.test(path),
  )
  assert.deepEqual(closed, forAdmins)
  await changesNothing(scene, async () => {
    for (const route of closed) {
      const reply = await scene.bob.rest.send(verb(route), scene.path(route))
      assertRefused(reply, 403, 'forbidden')
    }
  })
})

/** A body that would be accepted. */
function goodBody(scene: Scene, route: Route): Record<string, unknown> {
  const fields = fieldsOf(route.body)
  return Object.fromEntries(fields.map(({ name, good }) => [name, scene.good[name] ?? good]))
}

test('a body that is no JSON, or is no object, is refused', async () => {
  await using scene = await setScene()
  const { rest } = scene.alice
  await changesNothing(scene, async () => {
    for (const route of judged) {
      const path = scene.path(route)
      const send = (body?: string | Uint8Array<ArrayBuffer>) => rest.send(verb(route), path, body)
      const latin1 = new Uint8Array([0x22, 0xe9, 0x22])
      for (const body of ['{', '{"a":1}x', "{'a':1}", latin1]) {
        assertRefused(await send(body), 400, 'invalid_json')
      }
      // If no field is required, no body counts as an empty object.
      const needsBody = fieldsOf(route.body).some(({ required }) => required)
      for (const body of needsBody ? [undefined, ''] : []) {
        assertRefused(await send(body), 400, 'invalid_json')
      }
      for (const body of ['null', '42', '"text"', '[]', '[{}]', 'true']) {
        assertRefused(await send(body), 400, 'validation_failed')
      }
    }
  })
})

test('every field of every body is refused when it breaks its rule or is missing', async () => {
  await using scene = await setScene()
  await changesNothing(scene, async () => {
    for (const route of judged) {
      const good = goodBody(scene, route)
      for (const { name, bad, required } of fieldsOf(route.body)) {
        for (const value of bad) {
          await assertFieldRefused(scene, route, { ...good, [name]: value }, name)
        }
        const { [name]: _, ...without } = good
        const isNeeded = required || OWN_CODES[operationOf(route)]?.[name]
        if (isNeeded) await assertFieldRefused(scene, route, without, name)
      }
    }
  })
})

async function assertFieldRefused(scene: Scene, route: Route, body: object, name: string) {
  const reply = await scene.alice.rest.send(verb(route), scene.path(route), JSON.stringify(body))
  const what = `${operationOf(route)} ${JSON.stringify(body)}: ${JSON.stringify(reply.body)}`
  const ownCode = OWN_CODES[operationOf(route)]?.[name]
  if (ownCode && reply.body.error === ownCode) return assertRefused(reply, 400, ownCode)
  assert.equal(reply.status, 400, what)
  assertRefused(reply, 400, 'validation_failed')
  const isNamed = Object.keys(reply.body.fields).some((field) => field.split('.')[0] === name)
  assert.ok(isNamed, what)
}

test('every query parameter is refused when it breaks its rule or is given twice', async () => {
  await using scene = await setScene()
  await changesNothing(scene, async () => {
    for (const route of ROUTES.filter(isJson)) {
      for (const field of fieldsOf(route.query)) {
        const bad = field.bad.filter((value) => typeof value === 'string')
        for (const value of bad) await assertQueryRefused(scene, route, field, [value])
        await assertQueryRefused(scene, route, field, [String(field.good), String(field.good)])
      }
    }
  })
})

async function assertQueryRefused(scene: Scene, route: Route, { name }: Field, values: string[]) {
  const query = values.map((value) => `${name}=${encodeURIComponent(value)}`).join('&')
  const reply = await scene.alice.rest.send(verb(route), `${scene.path(route)}?${query}`)
  assert.ok(reply.body.fields?.[name], `${operationOf(route)} ?${query} ${reply.status}`)
  assertRefused(reply, 400, 'validation_failed')
}

test('an id in a path that is no id is refused', async () => {
  await using scene = await setScene()
  await changesNothing(scene, async () => {
    for (const route of ROUTES.filter(isJson)) {
      const fields = fieldsOf(route.params).filter(
        ({ name }) => name !== 'token' && name !== 'emoji',
      )
      for (const { name, bad, isId } of fields) {
        assert.ok(isId, `${operationOf(route)} takes anything as its ${name}`)
        const texts = bad.filter((value) => typeof value === 'string').map(encodeURIComponent)
        // A node may have the id 0.
        const zero = route.path.startsWith('/api/nodes/') ? [] : ['0']
        const odd = ['%00', '%ED%A0%80', '%', '..%2F..', ...zero]
        for (const text of [...texts, ...odd]) {
          const path = scene.path(route, { [name]: text })
          const body = route.body && JSON.stringify(goodBody(scene, route))
          const reply = await scene.alice.rest.send(verb(route), path, body)
          assert.equal(reply.status, 400, `${verb(route)} ${path}: ${JSON.stringify(reply.body)}`)
          assertRefused(reply, 400, 'validation_failed')
        }
      }
    }
  })
})

test('no text, however odd, makes a route fail inside', async () => {
  await using scene = await setScene()
  const { rest } = scene.alice
  const look = async (answer: Promise<Reply>, what: string) =>
    assert.ok((await answer).status < 500, `${what} ${(await answer).status}`)
  for (const route of ROUTES) {
    const operation = operationOf(route)
    for (const text of HOSTILE) {
      const inUrl = encodeURIComponent(text.toWellFormed())
      for (const [, name = ''] of route.path.matchAll(/\{(\w+)\}/g)) {
        await look(rest.send(verb(route), scene.path(route, { [name]: inUrl })), operation)
      }
      if (!isJson(route)) continue
      for (const { name } of fieldsOf(route.query)) {
        await look(rest.send(verb(route), `${scene.path(route)}?${name}=${inUrl}`), operation)
      }
      for (const { name } of fieldsOf(route.body).filter((field) => field.isText)) {
        const body = JSON.stringify({ ...goodBody(scene, route), [name]: text })
        await look(rest.send(verb(route), scene.path(route), body), `${operation} ${name}`)
      }
    }
  }
})

test('a body over its limit is refused, whether its length is announced or not', async () => {
  await using scene = await setScene()
  const large = (bytes: number) => JSON.stringify({ padding: 'x'.repeat(bytes) })
  const forms = ROUTES.filter(
    (route) => route.path === '/hooks/{token}' || (!isJson(route) && route.method === 'post'),
  )
  await changesNothing(scene, async () => {
    for (const route of [...withBody, ...forms]) {
      const path = scene.path(route)
      // Just over the limit of the route, and far over any listener's default limit.
      for (const body of [large(70_000), large(3_000_000)]) {
        const announced = await scene.alice.rest.send(verb(route), path, body)
        assertRefused(announced, 413, 'payload_too_large')
        const streamed = await sendStreamed(scene.alice, scene.mimir.url + path, verb(route), body)
        assert.equal(streamed.status, 413, operationOf(route))
        assert.equal((await streamed.json()).error, 'payload_too_large')
      }
    }
  })
})

test('unknown paths and verbs of known ones are not found', async () => {
  await using scene = await setScene()
  const { rest } = scene.alice
  const patterns = ROUTES.map((route) => ({
    method: verb(route),
    path: new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  }))
  await changesNothing(scene, async () => {
    for (const route of ROUTES) {
      const path = scene.path(route)
      for (const method of METHODS) {
        if (patterns.some((one) => one.method === method && one.path.test(path))) continue
        // Where pages of other origins may call, their browsers ask first.
        if (method === 'OPTIONS' && route.kind === 'raw' && route.crossOrigin) continue
        const reply = await rest.send(method, path)
        assert.ok([404, 405].includes(reply.status), `${method} ${path} ${reply.status}`)
      }
      const beyond = `${path === '/' ? '' : path}/no/such/thing`
      assertRefused(await rest.send(verb(route), beyond), 404, 'not_found')
    }
    for (const path of [
      UPGRADE,
      '/hubs/dm/negotiate',
      '/hubs/other/negotiate',
      '/api',
      '/API/me',
    ]) {
      assertRefused(await rest.get(path), 404, 'not_found')
    }
    assert.match(await askForSocket(scene, '/api/me'), /^HTTP\/1.1 404 /)
  })
})
