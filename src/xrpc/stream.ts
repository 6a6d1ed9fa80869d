import type { Ctx } from '../context.ts'
import { toRefusal } from '../http/on-error.ts'
import { AppError, commonErrors } from '../platform/errors.ts'
import type { UserActor } from '../policy/actor.ts'
import { accessErrors } from '../policy/errors.ts'
import type { Events, StreamEvent, XrpcSubscription } from './define-method.ts'
import type { Sessions } from './sessions.ts'
import type { Validator } from './validator.ts'

/** Below the 60 s after which proxies, and our own listener, cut what says nothing. */
export const KEEP_ALIVE_MS = 20_000

/** What a reader of a stream is waited for. */
export interface StreamLimits {
  /** Bytes that a socket holds for its reader; above them nothing more is queued. */
  readonly waitingBytes: number
  /** For how long a reader may take nothing before it is told to come again (`ConsumerTooSlow`). */
  readonly patienceMs: number
  /** How often streams are looked at whose credential ends. */
  readonly sweepMs: number
}

export const DEFAULT_STREAM_LIMITS: StreamLimits = {
  waitingBytes: 1024 * 1024,
  patienceMs: 30_000,
  sweepMs: 1000,
}

/** One stream that was asked for and may be opened. */
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
  /** Resolves when there is room for another one; throws when the reader is given up. */
  write(event: StreamEvent): Promise<void>
  /** The stream is over: by the refusal, or because the reader went away. */
  end(refusal: AppError | undefined): Promise<void>
}

function requireTime({ clock }: Pick<Ctx, 'clock'>, { validUntil }: UserActor): void {
  if (validUntil !== undefined && validUntil <= clock.now()) {
    throw new AppError(accessErrors.tokenExpired)
  }
}

/** Carries events to the sink until one of both sides ends it. Never rejects. */
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
      // The clock may have passed the end of the credential since the last sweep.
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
