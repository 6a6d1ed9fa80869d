import { HUB_PERMISSION } from '../../src/app/endpoints.ts'
import { hubMethods, routes, tools } from '../../src/app/features.ts'
import { type AnyRoute, isReading, operationOf } from '../../src/http/define-route.ts'
import type { Tool } from '../../src/mcp/define-tool.ts'
import type { Permission, Requirement } from '../../src/policy/permissions.ts'
import type { Appliance } from '../harness/boot.ts'
import { HubClient } from '../harness/hub.ts'

/** A person with a credential: an access token or an API key. */
export interface Caller {
  readonly name: string
  readonly credential: string
}

/** The outcome of an attempt: a status (none for completions), and the code if it was refused. */
export interface Outcome {
  readonly status?: number
  readonly code?: string
}

/** Something a caller can try, over any transport. */
export interface Operation {
  readonly name: string
  readonly requirement: Requirement
  /** Whether it changes anything. */
  readonly changes: boolean
  /** A second permission that it requires. */
  readonly besides?: Permission | undefined
  /** Whether the credential itself must grant the permission, whatever its owner may do. */
  readonly onlyGranted?: boolean
  /** Tries it with invalid input: callers with the permission are refused only because of that. */
  attempt(visit: Visit): Promise<Outcome>
}

/** A caller at an appliance, with at most one hub connection. */
export class Visit implements AsyncDisposable {
  readonly mimir: Appliance
  readonly caller: Caller
  #hub: Promise<HubClient | Outcome> | undefined

  constructor(mimir: Appliance, caller: Caller) {
    this.mimir = mimir
    this.caller = caller
  }

  hub(): Promise<HubClient | Outcome> {
    this.#hub ??= new HubClient(this.mimir.url, this.caller.credential).start().catch((error) => {
      return { status: Number(/\b(40\d)\b/.exec(String(error))?.[1]) }
    })
    return this.#hub
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const hub = await this.#hub
    if (hub instanceof HubClient) await hub.stop()
  }
}

/** All transports with their operations: a new one takes one more line here. */
export const TRANSPORTS: Readonly<Record<string, readonly Operation[]>> = {
  routes: routes.map(byRest),
  'hub connections': [negotiation(), connection()],
  'hub methods': hubMethods.map(byHub),
  'MCP operations': tools.flatMap(byMcp),
}

export function byRest(route: AnyRoute): Operation {
  const hasBody = route.kind === 'json' && route.body !== undefined
  return {
    name: operationOf(route),
    requirement: route.permission,
    changes: !isReading(route),
    async attempt({ mimir, caller }) {
      const path = route.path.replaceAll(/\{\w+\}/g, 'x')
      const rest = mimir.rest(caller.credential)
      const reply = await rest.send(route.method.toUpperCase(), path, hasBody ? '{' : undefined)
      return { status: reply.status, code: reply.body?.error }
    },
  }
}

function negotiation(): Operation {
  return {
    name: 'POST /hubs/dm/negotiate',
    requirement: HUB_PERMISSION,
    changes: false,
    async attempt({ mimir, caller }) {
      const reply = await mimir.rest(caller.credential).post('/hubs/dm/negotiate')
      return { status: reply.status, code: reply.body?.error }
    },
  }
}

function connection(): Operation {
  return {
    name: 'hub:connect',
    requirement: HUB_PERMISSION,
    changes: false,
    async attempt({ mimir, caller }) {
      // The same request as a browser's, with the token in its URL.
      const address = `${mimir.url.replace('http', 'ws')}/hubs/dm?access_token=${caller.credential}`
      const socket = new WebSocket(address)
      const opened = await new Promise<boolean>((resolve) => {
        socket.onopen = () => resolve(true)
        socket.onerror = () => resolve(false)
      })
      socket.close()
      // A refused WebSocket does not reveal the reason; negotiation does.
      return opened ? {} : { status: 403, code: 'not connected' }
    },
  }
}

function byHub({ name, permission, arity }: (typeof hubMethods)[number]): Operation {
  return {
    name: `hub:${name}`,
    requirement: permission,
    changes: true,
    async attempt(visit) {
      const hub = await visit.hub()
      if (!(hub instanceof HubClient)) return hub
      try {
        await hub.invoke(name, ...Array.from({ length: arity[0] }, () => ({})))
        return {}
      } catch (error) {
        const code = /HubException: (\w+)$/.exec(String(error))?.[1]
        return code === undefined ? {} : { code }
      }
    },
  }
}

/** All operations of a tool, with arguments that none of them accepts. */
function byMcp(tool: Tool): Operation[] {
  return [...tool.operations].map(([operation, { permission, besides }]) => ({
    name: `mcp:${tool.name}/${operation}`,
    requirement: permission,
    besides,
    changes: true,
    onlyGranted: tool.onlyGranted,
    async attempt({ mimir, caller }) {
      const args = { operation, type: operation === 'all' ? 'ALL' : 7, limit: 'x' }
      const reply = await mimir.rest(caller.credential).post('/mcp', {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: tool.name, arguments: args },
      })
      if (reply.status !== 200) return { status: reply.status, code: reply.body.error?.data?.error }
      return { code: reply.body.result?.structuredContent?.code }
    },
  }))
}
