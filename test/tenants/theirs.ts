import { routes, tools } from '../../src/app/features.ts'
import { type AnyRoute, operationOf } from '../../src/http/define-route.ts'
import type { HubMethod } from '../../src/hub/define-method.ts'
import type { Appliance } from '../harness/boot.ts'
import { deviceOf, didOf } from '../harness/mls-people.ts'
import { assertDone } from '../harness/rest.ts'
import { setScene } from '../refusals/scene.ts'
import { fieldsOf, ID, valuesOf } from '../refusals/values.ts'
import {
  goodObject,
  isProcedure,
  type ObjectSchema,
  takesJson,
  type Walked,
} from '../refusals/xrpc-values.ts'
import { Twins } from './twins.ts'

type Schema = Parameters<typeof fieldsOf>[0]

/** One call, as text that may contain names of things. */
export interface Call {
  readonly name: string
  readonly verb: string
  readonly path: string
  readonly body: string | undefined
}

/** A tenant that has everything an operation can name, and the calls that name it. */
export interface Theirs {
  readonly twins: Twins
  rows(): Promise<Record<string, string[]>>
  readonly calls: readonly Call[]
  xrpc(walked: Walked): Call
  readonly tools: readonly Call[]
  hub(method: HubMethod): unknown[]
}

const NODE = 'a-node-that-only-they-have'
/** The id given when creating one: that ours may have the same id reveals nothing of theirs. */
const OTHER_NODE = 'another-node-that-only-they-have'
const PUSH_TOKEN = 'a-push-token-that-only-they-have'
/** Path parameters that name a kind and not an individual thing. */
const KINDS = new Set(['emoji', 'nsid', 'type'])

export async function fillTenant(mimir: Appliance): Promise<Theirs> {
  const scene = await setScene(mimir)
  const { alice, bob, groupId, messageId } = scene
  const xenia = await mimir.person('xenia')
  for (const id of [NODE, OTHER_NODE]) {
    assertDone(await alice.rest.post('/api/nodes', { type: 'memory', id }), 201)
  }
  const device = { fcmToken: PUSH_TOKEN, platform: 'Android' }
  assertDone(await alice.rest.post('/api/me/devices', device), 204)
  const mls = await deviceOf(mimir, alice)
  await deviceOf(mimir, bob)
  const convoId = await mls.createConvo(didOf(mimir, { name: 'bob' }))
  const [{ id: deviceId }] = await mimir.command('mls.devices', { user: 'alice' })

  const twins = new Twins()
  twins.add(groupId, messageId, alice.id, bob.id, xenia.id, xenia.name, convoId, PUSH_TOKEN)
  twins.add(NODE, OTHER_NODE)
  twins.add(deviceId, didOf(mimir, { name: 'bob' }), String(scene.good.invitationToken))
  twins.add(String(scene.good.refreshToken), String(scene.good.friendKey), String(scene.good.botId))

  const pathOf = (route: AnyRoute) => {
    const own = route.path.includes('/nodes/') ? { id: NODE, type: 'memory' } : {}
    const token = route.path.includes('/devices/') ? { token: PUSH_TOKEN } : {}
    return scene.path(route, { ...own, ...token, name: xenia.name })
  }
  for (const route of routes) twins.add(...namesIn(route.path, pathOf(route)))

  /** Field values by name, for fields that name something. */
  const named: Record<string, unknown> = {
    ...scene.good,
    usernameOrEmail: xenia.name,
    conversationId: groupId,
    userId: bob.id,
    confirm: false,
    convoId,
    deviceId,
    ...Object.fromEntries(
      ['id', 'parentId', 'source', 'target', 'from', 'to'].map((key) => [key, NODE]),
    ),
  }
  const fill = (schema: Schema) =>
    Object.fromEntries(
      fieldsOf(schema).map(({ name, good }) => {
        // A field that shares its name with a node's, but takes another id or a time.
        const isOther = named[name] === NODE && (good === ID || Date.parse(String(good)) > 0)
        return [name, isOther ? good : (named[name] ?? good)]
      }),
    )
  const spell = (value: unknown) => JSON.stringify(value).replaceAll(ID, messageId)

  /** The required fields and, unless something is named already, those that name something. */
  const needed = (schema: Schema, isNamed = false) => {
    const filled = JSON.parse(spell(fill(schema)))
    const wanted = fieldsOf(schema).filter(
      ({ name, required }) =>
        required || (!isNamed && twins.in(JSON.stringify(filled[name] ?? null)).length > 0),
    )
    return Object.fromEntries(wanted.map(({ name }) => [name, filled[name]]))
  }
  const bodyOf = (route: AnyRoute) => {
    if (route.method === 'get') return undefined
    if (route.kind === 'json' && route.body)
      return spell({ ...fill(route.body), ...newNode(route) })
    return '{"text":"hello"}'
  }

  return {
    twins,
    rows: scene.rows,
    calls: routes.map((route) => {
      const isJson = route.kind === 'json'
      const query =
        isJson && route.query ? queryOf(needed(route.query, route.path.includes('{'))) : ''
      return {
        name: operationOf(route),
        verb: route.method.toUpperCase(),
        path: pathOf(route) + query,
        body: bodyOf(route),
      }
    }),
    xrpc({ method, definition }) {
      const withNames = (schema: ObjectSchema | undefined) => {
        if (schema === undefined) return {}
        const names = Object.keys(schema.properties).filter((name) => named[name] !== undefined)
        const own = Object.fromEntries(names.map((name) => [name, named[name]]))
        return { ...goodObject(mimir, schema), ...own }
      }
      const query = queryOf(withNames(definition.parameters as ObjectSchema | undefined))
      const input = takesJson(definition) ? definition.input?.schema : undefined
      const json = JSON.stringify(withNames(input as ObjectSchema | undefined))
      return {
        name: `xrpc:${method.nsid}`,
        verb: isProcedure(definition) ? 'POST' : 'GET',
        path: `/xrpc/${method.nsid}${query}`,
        body: isProcedure(definition) ? (takesJson(definition) ? json : 'bytes') : undefined,
      }
    },
    tools: tools.flatMap((tool) =>
      [...tool.operations].map(([operation, { input }]) => {
        const makes = /^(add|create)/.test(operation) && 'id' in input.shape
        const own = makes ? { id: OTHER_NODE } : {}
        const args = { ...needed(input), ...own, ...(tool.isChosenByName ? { operation } : {}) }
        const params = { name: tool.name, arguments: JSON.parse(spell(args)) }
        return {
          name: `mcp:${tool.name}/${operation}`,
          verb: 'POST',
          path: '/mcp',
          body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
        }
      }),
    ),
    hub(method) {
      const isOfPerson = /Call|Ice/.test(method.name)
      const isOfMessage = /Message$|^React$/.test(method.name) && method.name !== 'SendMessage'
      const id = isOfPerson ? alice.id : isOfMessage ? messageId : groupId
      return method.schemas.map((schema) => {
        const { good } = valuesOf(schema)
        return good === ID ? id : good
      })
    },
  }
}

const newNode = (route: AnyRoute) =>
  operationOf(route) === 'POST /api/nodes' ? { id: OTHER_NODE } : {}

/** The values in the path for the template's parameters. */
function namesIn(template: string, path: string): string[] {
  const parts = path.split('/')
  return template.split('/').flatMap((part, n) => {
    const [, name] = /^\{(\w+)\}$/.exec(part) ?? []
    return name && !KINDS.has(name) ? [parts[n] as string] : []
  })
}

function queryOf(values: object): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) {
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one))
  }
  return query.size > 0 ? `?${query}` : ''
}
