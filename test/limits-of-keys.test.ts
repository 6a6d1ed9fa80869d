import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from './harness/boot.ts'
import { HubClient } from './harness/hub.ts'
import { makeKey } from './harness/keys.ts'
import { type Operation, TRANSPORTS, Visit } from './refusals/transports.ts'
import { goodObject, isProcedure, pathOf, takesJson, walkable } from './refusals/xrpc-values.ts'

/** Requests that connecting to the hub counts: negotiation and the socket. */
const CONNECTING = 2
const LIMITS = { MIMIR_RATE_LIMITS: `api-key=${CONNECTING}/1m` }

/** Every operation that authenticates its caller. */
const asksForCaller = ({ requirement }: Operation) => requirement !== 'public'

for (const [transport, operations] of Object.entries(TRANSPORTS)) {
  test(`a key that has used its limit up is refused by all ${transport}`, async () => {
    await using mimir = await boot({ env: LIMITS })
    await mimir.admin('alice')
    const { key } = await makeKey(mimir, 'all', { user: 'alice', scopes: ['*'] })
    await using visit = new Visit(mimir, { name: 'a key', credential: key })
    assert.ok((await visit.hub()) instanceof HubClient)
    let walked = 0
    for (const operation of operations.filter(asksForCaller)) {
      const { status, code } = await operation.attempt(visit)
      walked++
      // A refused WebSocket gives browsers no reason; a tool would answer with a result.
      if (operation.name === 'hub:connect') assert.equal(code, 'not connected')
      else if (status === undefined) assert.equal(code, 'rate_limited', operation.name)
      else assert.equal(status, 429, operation.name)
    }
    assert.ok(walked > 0)
  })
}

test('a key that has used its limit up is refused by all XRPC methods', async () => {
  await using mimir = await boot({ env: LIMITS })
  await mimir.admin('alice')
  const { key } = await makeKey(mimir, 'all', { user: 'alice', scopes: ['*'] })
  const rest = mimir.rest(key)
  for (let n = 0; n < CONNECTING; n++) await rest.get('/api/me')
  for (const { method, definition } of await walkable()) {
    const path = pathOf(mimir, method, definition)
    const body = takesJson(definition)
      ? JSON.stringify(goodObject(mimir, definition.input?.schema as never))
      : 'bytes'
    const reply = isProcedure(definition)
      ? await rest.send('POST', path, body)
      : await rest.get(path)
    assert.equal(reply.status, 429, method.nsid)
  }
})
