import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lexicons } from '../lexicons/index.ts'
import { xrpcMethods } from '../src/app/features.ts'
import { permissionsOf } from '../src/policy/permissions.ts'
import type { Reply, Rest } from './harness/rest.ts'
import { assertRefusal } from './harness/xrpc.ts'
import { badTokens, type Scene, sendStreamed, setScene } from './refusals/scene.ts'
import { HOSTILE } from './refusals/values.ts'
import {
  goodObject,
  isProcedure,
  type ObjectSchema,
  pathOf,
  takesJson,
  type Walked,
  walkable,
} from './refusals/xrpc-values.ts'

function call(
  rest: Rest,
  scene: Scene,
  { method, definition }: Walked,
  body?: string,
): Promise<Reply> {
  const path = pathOf(scene.mimir, method, definition)
  const good = takesJson(definition)
    ? JSON.stringify(goodObject(scene.mimir, definition.input?.schema as never))
    : 'bytes'
  return isProcedure(definition) ? rest.send('POST', path, body ?? good) : rest.get(path)
}

async function changesNothing(scene: Scene, refusals: () => Promise<void>): Promise<void> {
  const before = await scene.rows()
  await refusals()
  assert.deepEqual(await scene.rows(), before)
}

test('the walk leaves no method out, and every method has a lexicon and asks for a permission', async () => {
  const nsids = xrpcMethods.map(({ nsid }) => nsid)
  assert.equal(new Set(nsids).size, nsids.length)
  const documents = lexicons.map(({ id }) => id).filter((id) => !id.endsWith('.defs'))
  assert.deepEqual(nsids.toSorted(), documents.toSorted())
  for (const { nsid, permission } of xrpcMethods) assert.equal(permission, 'mls:use', nsid)
  assert.ok(!permissionsOf('service').has('admin:config'))
  console.log(`walked ${nsids.length} XRPC methods`)
})

test('without a token, or with a bad one, no method answers', async () => {
  await using scene = await setScene()
  const tokens = { without: undefined, ...(await badTokens(scene)) }
  const methods = await walkable()
  await changesNothing(scene, async () => {
    for (const [what, token] of Object.entries(tokens)) {
      for (const one of methods) {
        const reply = await call(scene.mimir.rest(token), scene, one)
        assert.equal(reply.status, 401, `${one.method.nsid} ${what}`)
        assertRefusal(reply, 401, 'AuthenticationRequired')
        assert.equal(reply.headers.get('www-authenticate'), 'Bearer')
      }
    }
  })
})

test('what is no method, or called by the wrong verb, is refused', async () => {
  await using scene = await setScene()
  const { rest } = scene.alice
  assertRefusal(await rest.get('/xrpc/com.example.nothing'), 501, 'MethodNotImplemented')
  assertRefusal(await rest.get('/xrpc/'), 501, 'MethodNotImplemented')
  for (const { method, definition } of await walkable()) {
    const verb = isProcedure(definition) ? 'GET' : 'POST'
    assertRefusal(await rest.send(verb, `/xrpc/${method.nsid}`), 405, 'InvalidRequest')
  }
})

test('a body that is no JSON, no object, or too large is refused', async () => {
  await using scene = await setScene()
  const { rest } = scene.alice
  await changesNothing(scene, async () => {
    for (const one of (await walkable()).filter(({ definition }) => takesJson(definition))) {
      const deep = `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`
      for (const body of ['', '{', '{"a":1}x', '[]', 'null', '"text"', '42', deep]) {
        assertRefusal(await call(rest, scene, one, body), 400, 'InvalidRequest')
      }
      const { nsid, maxBodyBytes } = one.method as { nsid: string; maxBodyBytes: number }
      const large = JSON.stringify({ padding: 'x'.repeat(maxBodyBytes) })
      assertRefusal(await call(rest, scene, one, large), 413, 'PayloadTooLarge')
      if (maxBodyBytes > 1_000_000) continue
      const url = `${scene.mimir.url}/xrpc/${nsid}`
      assert.equal((await sendStreamed(scene.alice, url, 'POST', large)).status, 413)
    }
  })
})

test('every field of every body and every parameter is refused when it is missing or of another type', async () => {
  await using scene = await setScene()
  const { rest } = scene.alice
  await changesNothing(scene, async () => {
    for (const one of await walkable()) {
      const { method, definition } = one
      if (takesJson(definition)) {
        const schema = definition.input?.schema as unknown as ObjectSchema
        const good = goodObject(scene.mimir, schema) as Record<string, unknown>
        for (const [name, property] of Object.entries(schema.properties)) {
          const wrong = property.type === 'boolean' ? 'text' : true
          const bad = JSON.stringify({ ...good, [name]: wrong })
          assertRefusal(await call(rest, scene, one, bad), 400, 'InvalidRequest')
        }
        for (const name of schema.required ?? []) {
          const { [name]: _, ...without } = good
          const reply = await call(rest, scene, one, JSON.stringify(without))
          assertRefusal(reply, 400, 'InvalidRequest')
        }
      }
      const parameters = definition.parameters as ObjectSchema | undefined
      for (const name of parameters?.required ?? []) {
        const verb = isProcedure(definition) ? 'POST' : 'GET'
        const others = (parameters?.required ?? []).filter((other) => other !== name)
        const query = others.map((other) => `${other}=ab`).join('&')
        const reply = await rest.send(verb, `/xrpc/${method.nsid}?${query}`)
        assertRefusal(reply, 400, 'InvalidRequest')
      }
    }
  })
})

test('no text, however odd, makes a method fail inside', async () => {
  await using scene = await setScene()
  const { rest } = scene.alice
  for (const one of await walkable()) {
    const { method, definition } = one
    for (const text of HOSTILE) {
      for (const name of Object.keys((definition.parameters as ObjectSchema)?.properties ?? {})) {
        const url = new URL(pathOf(scene.mimir, method, definition), scene.mimir.url)
        url.searchParams.set(name, text.toWellFormed())
        const path = url.pathname + url.search
        const verb = isProcedure(definition) ? 'POST' : 'GET'
        const reply = await rest.send(verb, path, isProcedure(definition) ? 'x' : undefined)
        assert.ok(reply.status < 500, `${method.nsid} ${name} ${reply.status}`)
      }
      if (!takesJson(definition)) continue
      const schema = definition.input?.schema as unknown as ObjectSchema
      const good = goodObject(scene.mimir, schema)
      const texts = Object.entries(schema.properties).filter(([, { type }]) => type === 'string')
      for (const [name] of texts) {
        const reply = await call(rest, scene, one, JSON.stringify({ ...good, [name]: text }))
        assert.ok(reply.status < 500, `${method.nsid} ${name} ${JSON.stringify(reply.body)}`)
      }
    }
  }
})
