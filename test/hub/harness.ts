import assert from 'node:assert/strict'
import type { HubConnection } from '@microsoft/signalr'
import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr'
import { z } from 'zod'
import type { Ctx } from '../../src/context.ts'
import { toResponse } from '../../src/http/on-error.ts'
import { argument, defineHubMethod } from '../../src/hub/define-method.ts'
import type { Hub, HubOptions } from '../../src/hub/hub.ts'
import { createHub } from '../../src/hub/hub.ts'
import type { HubLimits } from '../../src/hub/limits.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { AppError, commonErrors } from '../../src/platform/errors.ts'
import { createIds } from '../../src/platform/ids.ts'
import { createLog } from '../../src/platform/log.ts'
import type { Origin, UserActor } from '../../src/policy/actor.ts'
import { presentedCredential } from '../../src/policy/credential.ts'
import { loadRuntime } from '../../src/runtime/index.ts'
import { eventually } from '../harness/eventually.ts'

export const RS = '\x1e'
export const HANDSHAKE = `{"protocol":"json","version":1}${RS}`

export interface House {
  readonly hub: Hub
  readonly url: string
  readonly port: number
  /** Lines that the hub logged. */
  readonly log: string[]
  /** Arguments of method calls, in the order they began. */
  readonly calls: unknown[]
  /** `connected ann`, `disconnected ann`. */
  readonly presence: string[]
  client(token: string): HubConnection
  /** `query` is appended after the token. */
  raw(token: string, query?: string): Promise<Raw>
  close(): Promise<void>
}

/** A listener with a hub that has a few methods; a token is `user` or `user.session`. */
export async function openHouse(
  limits: Partial<HubLimits> = {},
  overrides: Partial<HubOptions> = {},
): Promise<House> {
  const log: string[] = []
  const calls: unknown[] = []
  const presence: string[] = []
  const ctx = {
    clock: systemClock,
    ids: createIds(systemClock),
    log: createLog({ level: 'info', stream: { write: (line) => void log.push(line) } }),
    rateLimiter: { consume: async () => undefined },
  } as unknown as Ctx
  const hub = createHub({
    ctx,
    methods: methods(calls),
    limits,
    authenticate: async (request, origin) =>
      actorOf(presentedCredential(request, 'hub', origin.operation)?.text ?? 'bad', origin),
    refuse: (error, requestId) => toResponse(error, requestId, ctx.log),
    recordRefusal: async () => {},
    stillActive: async () => true,
    conversationsOf: async () => ['everyone'],
    presence: {
      connected: (actor) => void presence.push(`connected ${actor.userId}`),
      disconnected: (actor) => void presence.push(`disconnected ${actor.userId}`),
    },
    ...overrides,
  })
  const runtime = await loadRuntime()
  const origin = (): Origin => ({ requestId: ctx.ids.next(), operation: '/hubs/dm' })
  const listener = await runtime.serve({
    host: '127.0.0.1',
    port: 0,
    failed: () => new Response(null, { status: 500 }),
    fetch: (request) => hub.negotiate(request, origin()),
    upgrade: (request) => hub.upgrade(request, origin()),
    maxMessageBytes: 1024 * 1024,
  })
  const url = `http://127.0.0.1:${listener.port}/hubs/dm`
  const clients: HubConnection[] = []
  return {
    hub,
    url,
    port: listener.port,
    log,
    calls,
    presence,
    client(token) {
      const client = new HubConnectionBuilder()
        .withUrl(url, {
          accessTokenFactory: () => token,
          transport: HttpTransportType.WebSockets,
          logger: { log: () => {} },
        })
        .withAutomaticReconnect([0, 0])
        .configureLogging(LogLevel.None)
        .build()
      clients.push(client)
      return client
    },
    raw: (token, query = '') => openRaw(url, token, query),
    async close() {
      for (const client of clients) await client.stop()
      listener.stopAccepting()
      await hub.close()
      await listener.close()
    },
  }
}

export function actorOf(token: string, origin: Origin): UserActor {
  if (token === 'bad') throw new AppError(commonErrors.unauthorized)
  const [userId = '', sessionId = 'main'] = token.split('.')
  const name = { userId, username: userId, sessionId, credential: 'access-token' } as const
  return { kind: 'user', tenantId: 'default', role: 'member', ...name, origin }
}

function methods(calls: unknown[]) {
  const text = argument(z.string(), 'invalid_text')
  return [
    defineHubMethod({
      name: 'Echo',
      permission: 'messages:write',
      rate: 'unlimited',
      args: [text, argument(z.unknown(), 'invalid_extra')],
      optional: 1,
      async run(_ctx, actor, [said, extra]) {
        calls.push(said)
        return { said, extra, operation: actor.origin.operation }
      },
    }),
    defineHubMethod({
      name: 'Note',
      permission: 'signed-in',
      rate: 'unlimited',
      args: [text],
      async run(_ctx, _actor, [said]) {
        calls.push(said)
      },
    }),
    defineHubMethod({
      name: 'Boom',
      permission: 'signed-in',
      rate: 'unlimited',
      args: [text],
      async run(_ctx, _actor, [how]) {
        if (how !== 'refuse') throw new Error('boom')
        const definition = { code: 'not_a_member', kind: 'forbidden', message: 'No.' } as const
        throw new AppError({ ...definition, hubCode: 'not_member' })
      },
    }),
    defineHubMethod({
      name: 'Administer',
      permission: 'admin:config',
      rate: 'unlimited',
      args: [],
      run: async () => undefined,
    }),
  ]
}

/** A WebSocket without a SignalR client. */
export interface Raw {
  readonly socket: WebSocket
  /** Records received, without their separator. */
  readonly records: string[]
  /** How many frames carried them. */
  readonly frames: () => number
  readonly closeCode: () => number | undefined
  send(data: string | Uint8Array): void
  /** Sends the handshake and waits for its answer. */
  greet(): Promise<Raw>
  gone(): Promise<void>
}

async function openRaw(url: string, token: string, query: string): Promise<Raw> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}?access_token=${token}${query}`)
  const records: string[] = []
  let frames = 0
  let code: number | undefined
  socket.onmessage = ({ data }) => {
    frames += 1
    records.push(...String(data).split(RS).slice(0, -1))
  }
  socket.onclose = (event) => {
    code = event.code
  }
  const raw: Raw = {
    socket,
    records,
    frames: () => frames,
    closeCode: () => code,
    send: (data) => socket.send(data as string | Uint8Array<ArrayBuffer>),
    async greet() {
      socket.send(HANDSHAKE)
      await until(() => records.length > 0, 'the answer to the handshake')
      assert.equal(records.shift(), '{}')
      return raw
    },
    gone: () => until(() => code !== undefined, 'the end of the connection'),
  }
  await until(() => socket.readyState !== WebSocket.CONNECTING, 'a connection')
  return raw
}

/** Waits for a condition; throws after a deadline that only a broken test reaches. */
export async function until(isTrue: () => boolean, what: string): Promise<void> {
  await eventually(isTrue, `Waited in vain for ${what}`)
}
