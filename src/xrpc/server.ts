import { createHash } from 'node:crypto'
import type { Ctx } from '../context.ts'
import type { Subscriber } from '../events/bus.ts'
import { parseJson, readBytes } from '../http/body.ts'
import { toRefusal } from '../http/on-error.ts'
import type { Mount } from '../http/server.ts'
import { AppError, commonErrors } from '../platform/errors.ts'
import { limitKey } from '../platform/networks.ts'
import { type Actor, authorize, type Origin, type UserActor } from '../policy/actor.ts'
import { passGate } from '../policy/gate.ts'
import type { SocketHandler } from '../runtime/runtime.ts'
import type {
  AnyXrpcMethod,
  Events,
  XrpcCall,
  XrpcMethod,
  XrpcSubscription,
} from './define-method.ts'
import { COMMON_NAMES, xrpcName } from './errors.ts'
import { errorBody, notImplemented, toXrpcResponse } from './on-error.ts'
import { createSessions } from './sessions.ts'
import { FrameSocket, refusingSocket } from './socket.ts'
import { eventStreamResponse } from './sse.ts'
import { DEFAULT_STREAM_LIMITS, type StreamLimits } from './stream.ts'
import { loadValidator, type Validator } from './validator.ts'

const XRPC_PATH = '/xrpc/'

/** The owner of a credential: an account, or the verified DID of someone without one. */
export type XrpcCaller = { readonly actor: UserActor } | { readonly stranger: string }

export interface XrpcOptions {
  readonly ctx: Ctx
  readonly methods: readonly AnyXrpcMethod[]
  /** Throws `unauthorized` without a valid credential for this method. */
  authenticate(request: Request, origin: Origin, nsid: string): Promise<XrpcCaller>
  /** Throws a refusal if the server does not accept this call of this caller at present. */
  admit(actor: Actor, call: { readonly nsid: string; readonly changes: boolean }): Promise<void>
  /** The refusal of a caller without an account, for methods without `admits`. */
  refuseStranger(): AppError
  anonymous(origin: Origin): Actor
  /** Called with refusals of kind `forbidden`, for the audit. */
  recordRefusal(actor: Actor, error: AppError): Promise<void>
  /** Forwards unknown methods; if absent, they are refused. */
  readonly forward?: ((request: Request) => Promise<Response>) | undefined
  /** Checked once a stream is registered, to close the race with a suspension. */
  stillActive(actor: UserActor): Promise<boolean>
  /** Whether answers are checked against their lexicon too. */
  readonly checkAnswers: boolean
  readonly streamLimits?: Partial<StreamLimits> | undefined
}

export interface XrpcServer extends Subscriber, Mount {
  upgrade(request: Request, origin: Origin): Promise<SocketHandler | Response>
  /** How many event streams are open. */
  openStreams(): number
  /** Ends every stream, so that clients reconnect. */
  close(): Promise<void>
}

/** Serves XRPC methods and subscriptions as their lexicons define them. */
export function createXrpcServer(options: XrpcOptions): XrpcServer {
  const { ctx } = options
  const methods = new Map(options.methods.map((method) => [method.nsid, method]))
  const limits = { ...DEFAULT_STREAM_LIMITS, ...options.streamLimits }
  const sessions = createSessions(ctx, limits)

  const methodOf = (request: Request) => {
    const { pathname } = new URL(request.url)
    return methods.get(pathname.slice(pathname.lastIndexOf(XRPC_PATH) + XRPC_PATH.length))
  }

  /** Runs every check before the use case: rate limits, credential, permission, admission. */
  async function admit(method: AnyXrpcMethod, request: Request, origin: Origin) {
    // Before the credential is checked, since that may need a request to another server.
    await ctx.rateLimiter.consume('xrpc', limitKey(origin.ip))
    const caller = await options.authenticate(request, origin, method.nsid)
    const { nsid } = method
    const isQuery = request.method === 'GET'
    const changes = !isQuery || (method.kind === 'method' && method.changes)
    const isStranger = 'stranger' in caller
    const actor: Actor = isStranger ? options.anonymous(origin) : caller.actor
    try {
      await passGate(ctx.rateLimiter, {
        actor,
        rate: method.rate,
        countedBy: isStranger ? caller.stranger : caller.actor.userId,
        apart: nsid,
        rights() {
          if (!isStranger) authorize(actor, method.permission)
          else if (method.kind !== 'method' || !method.admits) throw options.refuseStranger()
        },
        admission: () => options.admit(actor, { nsid, changes }),
      })
    } catch (error) {
      if (!isStranger && error instanceof AppError && error.kind === 'forbidden') {
        await options.recordRefusal(actor, error)
      }
      throw error
    }
    return { actor, ...(isStranger ? { stranger: caller.stranger } : {}) }
  }

  async function run(
    method: XrpcMethod,
    validator: Validator,
    request: Request,
    admitted: { readonly actor: Actor; readonly stranger?: string },
  ): Promise<Response> {
    const definition = validator.definition(method.nsid)
    const { searchParams } = new URL(request.url)
    const params = validator.params(method.nsid, searchParams)
    const takesJson =
      definition.type === 'procedure' && definition.input?.encoding === 'application/json'
    const body = takesJson ? await readBytes(request, method.maxBodyBytes) : new Uint8Array()
    const input = takesJson ? validator.input(method.nsid, parseJson(body)) : {}
    const call: XrpcCall = {
      request,
      bodyHash: createHash('sha256').update(body).digest('hex'),
      ...(admitted.stranger === undefined ? {} : { stranger: admitted.stranger }),
    }
    const result = await method.run(ctx, admitted.actor, { ...params, ...input }, call)
    if (result instanceof Response) return result
    return Response.json(validator.output(method.nsid, result as object, options.checkAnswers))
  }

  async function refusalOf(
    error: unknown,
    method: AnyXrpcMethod,
    actor: Actor | undefined,
    origin: Origin,
  ): Promise<AppError> {
    const refusal = toRefusal(error, origin.requestId, ctx.log)
    if (refusal.kind === 'forbidden' && actor) await options.recordRefusal(actor, refusal)
    const name = xrpcName(refusal.code)
    if (options.checkAnswers && !COMMON_NAMES.has(name)) {
      const validator = await loadValidator()
      if (!validator.declares(method.nsid, name)) {
        const undeclared = new Error(`${method.nsid} does not declare ${name}`, { cause: error })
        return toRefusal(undeclared, origin.requestId, ctx.log)
      }
    }
    return refusal
  }

  async function openStream(
    method: XrpcSubscription,
    request: Request,
    origin: Origin,
  ): Promise<{ actor: UserActor; events: Events; validator: Validator }> {
    const { actor } = await admit(method, request, origin)
    if (actor.kind !== 'user') throw new AppError(commonErrors.unauthorized)
    const validator = await loadValidator()
    const { searchParams } = new URL(request.url)
    // Where a browser's EventSource resumes after a lost connection.
    const last = request.headers.get('last-event-id')
    if (last !== null) searchParams.set('cursor', last)
    const input = validator.params(method.nsid, searchParams)
    try {
      return { actor, events: await method.open(ctx, actor, input), validator }
    } catch (error) {
      if (error instanceof AppError && error.kind === 'forbidden') {
        await options.recordRefusal(actor, error)
      }
      throw error
    }
  }

  return {
    path: XRPC_PATH,
    operationOf: (request) => `xrpc:${methodOf(request)?.nsid ?? 'unknown'}`,

    async respond(request, origin) {
      const method = methodOf(request)
      if (!method) {
        return (await options.forward?.(request)) ?? notImplemented(origin.requestId, 501)
      }
      let actor: Actor | undefined
      try {
        const validator = await loadValidator()
        const { type } = validator.definition(method.nsid)
        if (request.method !== (type === 'procedure' ? 'POST' : 'GET')) {
          return notImplemented(origin.requestId, 405)
        }
        if (method.kind === 'subscription') {
          const opened = await openStream(method, request, origin)
          actor = opened.actor
          return await eventStreamResponse({ ...opened, ctx, method, options, sessions, limits })
        }
        const admitted = await admit(method, request, origin)
        actor = admitted.actor
        return await run(method, validator, request, admitted)
      } catch (error) {
        const refusal = await refusalOf(error, method, actor, origin)
        return toXrpcResponse(refusal, origin.requestId)
      }
    },

    async upgrade(request, origin) {
      const method = methodOf(request)
      if (method?.kind !== 'subscription') return notImplemented(origin.requestId, 501)
      let actor: Actor | undefined
      try {
        const opened = await openStream(method, request, origin)
        actor = opened.actor
        return new FrameSocket({ ...opened, ctx, method, options, sessions, limits })
      } catch (error) {
        const refusal = await refusalOf(error, method, actor, origin)
        // Without a credential no socket is opened; any other refusal is sent as a frame.
        if (refusal.kind === 'unauthenticated') return toXrpcResponse(refusal, origin.requestId)
        return refusingSocket(errorBody(refusal))
      }
    },

    events() {},
    signal() {},
    disconnect: (order) => sessions.end(order),
    openStreams: () => sessions.count(),
    close: () => sessions.close(),
  }
}
