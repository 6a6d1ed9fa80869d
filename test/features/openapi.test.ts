import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { routes } from '../../src/app/features.ts'
import type { Route } from '../../src/http/define-route.ts'
import { statusOf } from '../../src/http/on-error.ts'
import { boot } from '../harness/boot.ts'
import { assertDone } from '../harness/rest.ts'

// biome-ignore lint/suspicious/noExplicitAny: a document as it is parsed.
type Json = any

const jsonRoutes = routes.filter((route): route is Route => route.kind === 'json')

async function fetchDocument(): Promise<Json> {
  await using mimir = await boot({ env: { MIMIR_PUBLIC_URL: 'https://host/mimir' } })
  return assertDone(await mimir.rest().get('/api/openapi.json'))
}

/** The schema of an operation's usual answer. */
function answerOf({ responses }: Json): Json {
  return responses['200'].content['application/json'].schema
}

/** Every object in the document, at any depth. */
function* objectsIn(value: Json): Generator<Json> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield value
  for (const inner of Object.values(value)) yield* objectsIn(inner)
}

test('the document is OpenAPI 3.1 for the public URL, and its references lead somewhere', async () => {
  const document = await fetchDocument()
  assert.match(document.openapi, /^3\.1\.\d+$/)
  assert.equal(document.info.title, 'Mimir')
  assert.equal(typeof document.info.version, 'string')
  assert.deepEqual(document.servers, [{ url: 'https://host/mimir' }])
  for (const { $ref } of objectsIn(document)) {
    if ($ref === undefined) continue
    const [hash, ...path] = $ref.split('/')
    assert.equal(hash, '#')
    assert.ok(
      path.reduce((at: Json, name: string) => at?.[name], document),
      `${$ref} is missing`,
    )
  }
})

test('every JSON route is there with its answers, its refusals and who may call it', async () => {
  const { paths } = await fetchDocument()
  const named = Object.values(paths).flatMap((path) => Object.keys(path as object))
  assert.ok(jsonRoutes.length > 35)
  assert.equal(named.length, jsonRoutes.length)
  for (const route of jsonRoutes) {
    const name = `${route.method} ${route.path}`
    const operation = paths[route.path]?.[route.method]
    assert.ok(operation, `${name} is missing`)
    for (const status of Object.keys(route.answers)) {
      assert.ok(operation.responses[status], `${name} lacks ${status}`)
    }
    for (const { code, kind } of route.errors) {
      const refusal = operation.responses[statusOf(kind)]?.content['application/json'].schema
      assert.ok(refusal?.properties.error.enum.includes(code), `${name} lacks ${code}`)
      assert.deepEqual(refusal.required, ['error', 'message', 'requestId'])
    }
    const guarded = operation.security !== undefined
    const isClosed = route.permission !== 'public' && route.permission !== 'anyone'
    assert.equal(guarded, isClosed, `${name} and its permission`)
    assert.equal(operation.responses['401'] !== undefined || !guarded, true, name)
    const gated = guarded && !route.path.startsWith('/api/auth/')
    assert.equal('426' in operation.responses, gated, name)
    assert.equal('429' in operation.responses, route.rate !== 'unlimited', name)
  }
})

test('every operation has what the standard asks for', async () => {
  const { paths } = await fetchDocument()
  for (const [path, operations] of Object.entries<Json>(paths)) {
    assert.match(path, /^\//)
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    for (const [method, operation] of Object.entries<Json>(operations)) {
      const name = `${method} ${path}`
      const parameters = (operation.parameters ?? []).filter((one: Json) => one.in === 'path')
      assert.deepEqual(
        parameters.map((one: Json) => one.name),
        inPath,
        name,
      )
      assert.ok(
        parameters.every((one: Json) => one.required === true),
        name,
      )
      assert.ok(Object.keys(operation.responses).length > 0, name)
      for (const [status, response] of Object.entries<Json>(operation.responses)) {
        assert.match(status, /^[2-5]\d\d$/)
        assert.equal(typeof response.description, 'string', `${name} ${status}`)
      }
      const hasBody = operation.requestBody !== undefined
      assert.ok(!hasBody || !['get', 'delete'].includes(method), name)
    }
  }
})

test('the types that docs/hub.md names are schemas, which the routes refer to', async () => {
  const { paths, components } = await fetchDocument()
  const page = readFileSync(new URL('../../docs/hub.md', import.meta.url), 'utf8')
  const [, names = ''] = /([\w, ]+) are schemas in\s+`\/api\/openapi\.json`/.exec(page) ?? []
  const named = names.match(/\b[A-Z]\w+/g) ?? []
  assert.ok(named.length >= 5, names)
  for (const name of named) assert.equal(components.schemas[name]?.type, 'object', name)
  const { items } = answerOf(paths['/api/messages/{conversationId}'].get)
  assert.deepEqual(items, { $ref: '#/components/schemas/Message' })
  assert.deepEqual(paths['/api/messages/{conversationId}'].get.tags, ['messages'])
  const refused = paths['/api/auth/login'].post.responses['400'].content['application/json'].schema
  assert.equal(refused.properties.fields.type, 'object')
})

test('what the server answers is what the document says', async () => {
  const { paths, components } = await fetchDocument()
  const { $ref } = answerOf(paths['/api/me'].get)
  const { properties, required, additionalProperties } = components.schemas[$ref.split('/').at(-1)]
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const me = assertDone(await ann.rest.get('/api/me'))

  for (const field of Object.keys(me)) assert.ok(properties[field], field)
  assert.deepEqual([...required].sort(), Object.keys(me).sort())
  assert.equal(additionalProperties, false)
})
