import type { Ctx } from '../context.ts'
import { concerns, type Disconnect } from '../events/event.ts'
import { AppError, commonErrors } from '../platform/errors.ts'
import type { UserActor } from '../policy/actor.ts'
import { accessErrors } from '../policy/errors.ts'
import type { StreamLimits } from './stream.ts'

/** The open streams and their owners. */
export interface Sessions {
  /** Registers a stream; its signal aborts with the refusal that ends it, if any. */
  open(actor: UserActor): {
    readonly signal: AbortSignal
    end(reason?: AppError): void
    done(): void
  }
  count(): number
  /** Ends the streams that the order concerns. */
  end(order: Disconnect): void
  /** Ends all streams; resolves when they are gone, or after `CLOSE_MS`. */
  close(): Promise<void>
}

/** More than the devices that one person has. */
const MAX_PER_USER = 20
const CLOSE_MS = 1000

export function createSessions(
  { clock }: Pick<Ctx, 'clock'>,
  { sweepMs }: Pick<StreamLimits, 'sweepMs'>,
): Sessions {
  const open = new Map<AbortController, UserActor>()
  let gone: (() => void) | undefined
  let closed = false
  // A stream ends when the credential that opened it expires, as hub connections do.
  const sweeping = setInterval(() => {
    for (const [controller, { validUntil }] of open) {
      if (validUntil !== undefined && validUntil <= clock.now()) {
        controller.abort(new AppError(accessErrors.tokenExpired))
      }
    }
  }, sweepMs).unref()

  return {
    open(actor) {
      if (closed) throw new AppError(commonErrors.shuttingDown)
      const mine = [...open.values()].filter(({ userId }) => userId === actor.userId).length
      if (mine >= MAX_PER_USER) {
        throw new AppError(commonErrors.rateLimited, {}, { retryAfterSeconds: 15 })
      }
      const controller = new AbortController()
      open.set(controller, actor)
      return {
        signal: controller.signal,
        end: (reason) => controller.abort(reason),
        done() {
          open.delete(controller)
          if (open.size === 0) gone?.()
        },
      }
    },
    count: () => open.size,
    end(order) {
      for (const [controller, actor] of open) {
        if (concerns(order, actor)) controller.abort(new AppError(commonErrors.unauthorized))
      }
    },
    async close() {
      closed = true
      clearInterval(sweeping)
      for (const controller of open.keys())
        controller.abort(new AppError(commonErrors.shuttingDown))
      if (open.size === 0) return
      await new Promise<void>((resolve) => {
        gone = resolve
        setTimeout(resolve, CLOSE_MS).unref()
      })
    },
  }
}
