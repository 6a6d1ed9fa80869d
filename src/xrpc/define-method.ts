import type { Ctx } from '../context.ts'
import type { Actor } from '../policy/actor.ts'
import type { Requirement } from '../policy/permissions.ts'
import type { RateClass } from '../policy/rate-classes.ts'

/** What a method gets beside its input. */
export interface XrpcCall {
  readonly request: Request
  /** SHA-256 of the body in hex: whether a request is the same one again. */
  readonly bodyHash: string
  /** The verified DID of a caller who has no account here; only where `admits` is said. */
  readonly stranger?: string
}

interface Common {
  /** The namespaced id (`blue.catbird.mls.sendMessage`); the rest is said by its lexicon. */
  readonly nsid: string
  readonly permission: Requirement
  /** Counted for each caller and method. */
  readonly rate: RateClass
}

export interface XrpcMethod extends Common {
  readonly kind: 'method'
  /** Largest JSON body. */
  readonly maxBodyBytes: number
  /** Lets a verified DID call that has no account here. */
  readonly admits: boolean
  run(ctx: Ctx, actor: Actor, input: object, call: XrpcCall): Promise<unknown>
}

/** One event of a stream: its type is a definition of the subscription's lexicon. */
export interface StreamEvent {
  readonly type: string
  readonly body: object
}

export type Events = (aborted: AbortSignal) => AsyncIterable<StreamEvent>

export interface XrpcSubscription extends Common {
  readonly kind: 'subscription'
  /**
   * Decides whether and from where the stream begins, while an answer can still refuse it by its status;
   * what it gives tells the events in their order until the signal aborts. A refusal that is thrown
   * then ends the stream by its name.
   */
  open(ctx: Ctx, actor: Actor, input: object): Promise<Events>
}

export type AnyXrpcMethod = XrpcMethod | XrpcSubscription

const MAX_JSON_BYTES = 64 * 1024

interface MethodSpec<I> extends Common {
  readonly maxBodyBytes?: number
  readonly admits?: true
  /**
   * The use case. Its input holds body and parameters in one object, validated by the lexicon; of a
   * method that takes bytes only the parameters: the bytes are the request's.
   */
  run(ctx: Ctx, actor: Actor, input: I, call: XrpcCall): Promise<object | Response>
}

/** Binds an NSID to a use case. Permission and rate class have no default: both must be decided. */
export function defineXrpcMethod<I extends object>(spec: MethodSpec<I>): XrpcMethod {
  return {
    kind: 'method',
    nsid: spec.nsid,
    permission: spec.permission,
    rate: spec.rate,
    maxBodyBytes: spec.maxBodyBytes ?? MAX_JSON_BYTES,
    admits: spec.admits ?? false,
    run: spec.run as XrpcMethod['run'],
  }
}

export function defineXrpcSubscription<I extends object>(
  spec: Common & { open(ctx: Ctx, actor: Actor, input: I): Promise<Events> },
): XrpcSubscription {
  return { ...spec, kind: 'subscription', open: spec.open as XrpcSubscription['open'] }
}
