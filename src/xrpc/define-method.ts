import type { Ctx } from '../context.ts'
import type { Actor } from '../policy/actor.ts'
import type { Requirement } from '../policy/permissions.ts'
import type { RateClass } from '../policy/rate-classes.ts'

/** What a method receives besides its input. */
export interface XrpcCall {
  readonly request: Request
  /** SHA-256 of the body in hex, to recognise a repeated request. */
  readonly bodyHash: string
  /** The verified DID of a caller without an account here; only with `admits`. */
  readonly stranger?: string
}

interface Common {
  /** The namespaced id (`blue.catbird.mls.sendMessage`); its lexicon defines the rest. */
  readonly nsid: string
  readonly permission: Requirement
  /** Counted per caller and method. */
  readonly rate: RateClass
}

export interface XrpcMethod extends Common {
  readonly kind: 'method'
  /** Largest JSON body. */
  readonly maxBodyBytes: number
  /** Whether a verified DID without an account here may call. */
  readonly admits: boolean
  /** Whether it changes something although it is a query; procedures always count as changing. */
  readonly changes: boolean
  run(ctx: Ctx, actor: Actor, input: object, call: XrpcCall): Promise<unknown>
}

/** One event of a stream; its type is a definition in the subscription's lexicon. */
export interface StreamEvent {
  readonly type: string
  readonly body: object
}

export type Events = (aborted: AbortSignal) => AsyncIterable<StreamEvent>

export interface XrpcSubscription extends Common {
  readonly kind: 'subscription'
  /**
   * Decides whether and where the stream starts, while a response can still refuse it with a status. The
   * returned function yields the events in order until the signal aborts; a refusal thrown there ends the
   * stream with its name.
   */
  open(ctx: Ctx, actor: Actor, input: object): Promise<Events>
}

export type AnyXrpcMethod = XrpcMethod | XrpcSubscription

const MAX_JSON_BYTES = 64 * 1024

interface MethodSpec<I> extends Common {
  readonly maxBodyBytes?: number
  readonly admits?: true
  readonly changes?: true
  /**
   * The use case. Its input holds body and parameters in one object, validated by the lexicon. A method
   * that takes bytes gets only the parameters and reads the bytes from the request.
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
    changes: spec.changes ?? false,
    run: spec.run as XrpcMethod['run'],
  }
}

export function defineXrpcSubscription<I extends object>(
  spec: Common & { open(ctx: Ctx, actor: Actor, input: I): Promise<Events> },
): XrpcSubscription {
  return { ...spec, kind: 'subscription', open: spec.open as XrpcSubscription['open'] }
}
