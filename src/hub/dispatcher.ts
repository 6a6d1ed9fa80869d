import type { Ctx } from '../context.ts'
import { AppError, commonErrors } from '../platform/errors.ts'
import type { UserActor } from '../policy/actor.ts'
import { accessErrors } from '../policy/errors.ts'
import type { HubCaller, HubMethod } from './define-method.ts'
import type { Call, HubProtocol, Invocation, WireRecord } from './messages.ts'

/** The connection an invocation came on, with whoever signed in on it. */
export interface DispatchCaller extends HubCaller {
  readonly actor: UserActor
  /** What its completions are written in. */
  readonly protocol: HubProtocol
}

/** Runs an invocation to its completion record, or undefined when none is wanted. Never rejects. */
export type Dispatch = (caller: DispatchCaller, call: Call) => Promise<WireRecord | undefined>

/** Told of refusals of kind `forbidden`, before their completion goes out; for the audit. */
export type Refused = (actor: UserActor, error: AppError) => Promise<void>

/** Throws when two methods have one name; as in ASP.NET's SignalR, case makes no difference. */
export function createDispatcher(
  ctx: Ctx,
  methods: readonly HubMethod[],
  refused: Refused,
): Dispatch {
  const byName = new Map<string, HubMethod>()
  for (const method of methods) {
    const key = method.name.toLowerCase()
    if (byName.has(key)) throw new Error(`Two hub methods are called ${method.name}`)
    byName.set(key, method)
  }
  return async (caller, call) => {
    const method = byName.get(call.target.toLowerCase())
    const refusal = misfit(method, call)
    if (refusal !== undefined) return failure(caller, call, refusal)
    return complete(ctx, caller, call as Invocation, method as HubMethod, refused)
  }
}

/** Why a call fits no method, in the words of ASP.NET's server. */
function misfit(method: HubMethod | undefined, call: Call): string | undefined {
  const failed = `Failed to invoke '${call.target}' due to an error on the server.`
  if (method === undefined) return `${failed} HubException: Method does not exist.`
  if (call.kind === 'stream-invocation') {
    const attempt = `The client attempted to invoke the non-streaming '${call.target}' method`
    return `${attempt} with a streaming invocation.`
  }
  const [min, max] = method.arity
  const given = call.arguments.length
  if (given >= min && given <= max) return undefined
  const expected = given < min ? min : max
  const counts = `provides ${given} argument(s) but target expects ${expected}.`
  return `${failed} InvalidDataException: Invocation ${counts}`
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
  refused: Refused,
): Promise<WireRecord | undefined> {
  const requestId = ctx.ids.next()
  const operation = `hub:${method.name}`
  const actor = { ...caller.actor, origin: { ...caller.actor.origin, requestId, operation } }
  try {
    requireTime(ctx, actor)
    const result = await method.invoke(ctx, actor, call.arguments, caller)
    const { invocationId } = call
    if (invocationId === undefined) return undefined
    return caller.protocol.encode({ kind: 'result', invocationId, result })
  } catch (error) {
    const code = await codeOf(ctx, actor, error, refused)
    return failure(
      caller,
      call,
      `An unexpected error occurred invoking '${call.target}' on the server. HubException: ${code}`,
    )
  }
}

/** A credential's end is the end of what it opened, also before the connection is swept. */
function requireTime({ clock }: Pick<Ctx, 'clock'>, { validUntil }: UserActor): void {
  if (validUntil !== undefined && validUntil <= clock.now()) {
    throw new AppError(accessErrors.tokenExpired)
  }
}

/** The one place where a refusal becomes a hub error; what was not foreseen is logged and hidden. */
async function codeOf(
  ctx: Ctx,
  actor: UserActor,
  error: unknown,
  refused: Refused,
): Promise<string> {
  const { requestId, operation } = actor.origin
  try {
    if (!(error instanceof AppError) || error.kind === 'internal') throw error
    if (error.kind === 'forbidden') await refused(actor, error)
    return error.hubCode
  } catch (unforeseen) {
    // Without the arguments: they are what people write to each other.
    ctx.log.error(
      { err: unforeseen, requestId, operation, userId: actor.userId },
      'hub method failed',
    )
    return commonErrors.internal.code
  }
}
