import type { Ctx } from '../context.ts'
import { toRefusal } from '../http/on-error.ts'
import { AppError, commonErrors } from '../platform/errors.ts'
import type { UserActor } from '../policy/actor.ts'
import { accessErrors } from '../policy/errors.ts'
import type { Events, StreamEvent, XrpcSubscription } from './define-method.ts'
import type { Sessions } from './sessions.ts'
import type { Validator } from './validator.ts'

/** Below the 60 s after which proxies and our own listener close an idle connection. */
export const KEEP_ALIVE_MS = 20_000

/** How long and how much a slow reader of a stream may lag. */
export interface StreamLimits {
  /** Bytes that a socket may buffer for its reader; above that nothing more is queued. */
  readonly waitingBytes: number
  /** How long a reader may take nothing before its stream ends with `ConsumerTooSlow`. */
  readonly patienceMs: number
  /** How often streams are checked for expired credentials. */
  readonly sweepMs: number
}

export const DEFAULT_STREAM_LIMITS: StreamLimits = {
  waitingBytes: 1024 * 1024,
  patienceMs: 30_000,
  sweepMs: 1000,
}

/** A requested stream that passed all checks and may be opened. */
export interface OpenStream {
  readonly ctx: Ctx
  readonly method: XrpcSubscription
  readonly actor: UserActor
  readonly events: Events
  readonly validator: Validator
  readonly sessions: Sessions
  readonly limits: StreamLimits
  readonly options: {
    readonly checkAnswers: boolean
    stillActive(actor: UserActor): Promise<boolean>
  }
}

/** Where the events of a stream go. */
export interface StreamSink {
  /** Resolves when there is room for another event; throws if the reader is too slow. */
  write(event: StreamEvent): Promise<void>
  /** Ends the stream: with the refusal, or because the reader went away. */
  end(refusal: AppError | undefined): Promise<void>
}

function requireTime({ clock }: Pick<Ctx, 'clock'>, { validUntil }: UserActor): void {
  if (validUntil !== undefined && validUntil <= clock.now()) {
    throw new AppError(accessErrors.tokenExpired)
  }
}

/** Carries events to the sink until either side ends the stream. Never rejects. */
export async function carry(
  stream: OpenStream,
  session: ReturnType<Sessions['open']>,
  sink: StreamSink,
): Promise<void> {
  const { ctx, method, actor, events, validator, options } = stream
  let refusal: AppError | undefined
  try {
    if (!(await options.stillActive(actor))) throw new AppError(commonErrors.unauthorized)
    for await (const event of events(session.signal)) {
      // The credential may have expired since the last sweep.
      requireTime(ctx, actor)
      if (options.checkAnswers) validator.event(method.nsid, event.type, event.body, true)
      await sink.write(event)
    }
  } catch (error) {
    refusal = toRefusal(error, actor.origin.requestId, ctx.log)
  }
  const { reason } = session.signal
  await sink.end(reason instanceof AppError ? reason : refusal).catch(() => {})
  session.done()
}
