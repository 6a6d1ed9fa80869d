import type { Ctx } from '../context.ts'
import { AppError, commonErrors } from '../platform/errors.ts'
import { limitKey } from '../platform/networks.ts'
import { authorize, type UserActor } from '../policy/actor.ts'
import { accessErrors } from '../policy/errors.ts'
import { passGate } from '../policy/gate.ts'
import type { HubCaller, HubMethod } from './define-method.ts'
import type { Call, HubProtocol, Invocation, WireRecord } from './messages.ts'

/** The connection an invocation came on, and who signed in on it. */
export interface DispatchCaller extends HubCaller {
  readonly actor: UserActor
  /** Encodes its completions. */
  readonly protocol: HubProtocol
}

/** Runs an invocation to its completion record, or undefined when none is wanted. Never rejects. */
export type Dispatch = (caller: DispatchCaller, call: Call) => Promise<WireRecord | undefined>

/** Called for refusals of kind `forbidden` before their completion is sent; for the audit. */
export type RecordRefusal = (actor: UserActor, error: AppError) => Promise<void>

/** Throws a refusal if the server does not take the invocation now, whoever makes it. */
export type Admit = (actor: UserActor, method: HubMethod) => Promise<void> | undefined

export interface DispatchHooks {
  readonly recordRefusal: RecordRefusal
  readonly admit?: Admit
  readonly answered?: (method: string, outcome: string) => void
}

/** Throws if two methods have the same name; as in ASP.NET's SignalR, names are case-insensitive. */
export function createDispatcher(
  ctx: Ctx,
  methods: readonly HubMethod[],
  hooks: DispatchHooks,
): Dispatch {
  const byName = new Map<string, HubMethod>()
  for (const method of methods) {
    const key = method.name.toLowerCase()
    if (byName.has(key)) throw new Error(`Two hub methods are called ${method.name}`)
    byName.set(key, method)
  }
  return async (caller, call) => {
    const method = byName.get(call.target.toLowerCase())
    const failed = `Failed to invoke '${call.target}' due to an error on the server.`
    if (method === undefined) {
      return failure(caller, call, `${failed} HubException: Method does not exist.`)
    }
    if (call.kind === 'stream-invocation') {
      const attempt = `The client attempted to invoke the non-streaming '${call.target}' method`
      return failure(caller, call, `${attempt} with a streaming invocation.`)
    }
    const mismatch = arityMismatch(method, call.arguments.length)
    if (mismatch) return failure(caller, call, `${failed} ${mismatch}`)
    return complete(ctx, caller, call, method, hooks)
  }
}

/** Describes a wrong number of arguments, in the words of ASP.NET's server. */
function arityMismatch({ arity: [min, max] }: HubMethod, given: number): string | undefined {
  if (given >= min && given <= max) return undefined
  const counts = `provides ${given} argument(s) but target expects ${given < min ? min : max}.`
  return `InvalidDataException: Invocation ${counts}`
}

function failure(
  { protocol }: DispatchCaller,
  { invocationId }: Call,
  error: string,
): WireRecord | undefined {
  if (invocationId === undefined) return undefined
  return protocol.encode({ kind: 'failure', invocationId, error })
}

async function complete(
  ctx: Ctx,
  caller: DispatchCaller,
  call: Invocation,
  method: HubMethod,
  hooks: DispatchHooks,
): Promise<WireRecord | undefined> {
  const requestId = ctx.ids.next()
  const operation = `hub:${method.name}`
  const actor = { ...caller.actor, origin: { ...caller.actor.origin, requestId, operation } }
  try {
    requireTime(ctx, actor)
    await passGate(ctx.rateLimiter, {
      actor,
      rate: method.rate,
      countedBy: limitKey(actor.origin.ip),
      rights: () => authorize(actor, method.permission),
      admission: () => hooks.admit?.(actor, method),
    })
    const result = await method.invoke(ctx, actor, call.arguments, caller)
    hooks.answered?.(method.name, 'done')
    const { invocationId } = call
    if (invocationId === undefined) return undefined
    return caller.protocol.encode({ kind: 'result', invocationId, result })
  } catch (error) {
    const code = await refusalCode(ctx, actor, error, hooks.recordRefusal)
    hooks.answered?.(method.name, code)
    return failure(
      caller,
      call,
      `An unexpected error occurred invoking '${call.target}' on the server. HubException: ${code}`,
    )
  }
}

/** Refuses calls once the credential has expired, even before a sweep closes the connection. */
function requireTime({ clock }: Pick<Ctx, 'clock'>, { validUntil }: UserActor): void {
  if (validUntil !== undefined && validUntil <= clock.now()) {
    throw new AppError(accessErrors.tokenExpired)
  }
}

/** The one place where a refusal becomes a hub error; a defect is logged and hidden. */
async function refusalCode(
  ctx: Ctx,
  actor: UserActor,
  error: unknown,
  recordRefusal: RecordRefusal,
): Promise<string> {
  if (!(error instanceof AppError) || error.kind === 'internal') return logDefect(ctx, actor, error)
  try {
    if (error.kind === 'forbidden') await recordRefusal(actor, error)
  } catch (failure) {
    return logDefect(ctx, actor, failure)
  }
  return error.hubCode
}

/** Logs no arguments: they contain people's messages. */
function logDefect({ log }: Ctx, { origin, userId }: UserActor, error: unknown): string {
  const { requestId, operation } = origin
  log.error({ err: error, requestId, operation, userId }, 'hub method failed')
  return commonErrors.internal.code
}
