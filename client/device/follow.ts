import type { DeliveryService } from '../delivery/delivery-service.ts'
import type { JsonObject, StreamEvent } from '../delivery/transport.ts'
import { isRefusal, retryAfterOf, SyncError } from '../errors.ts'
import type { Group } from '../groups/group.ts'

/** Milliseconds before the first retry; each further one waits twice as long … */
const FIRST_PAUSE = 500
/** … up to this for a lost connection. */
const MAX_PAUSE = 30_000
/** The longest wait in milliseconds between syncs that keep failing. */
const MAX_RETRY = 600_000
/** Milliseconds by which each further leaf delays a due commit, so that normally only one makes it. */
const TURN = 300
const MAX_TURN = 10_000

/** The part of a device that `followEvents` uses. */
export interface Followed {
  readonly groups: readonly Group[]
  sync(): Promise<void>
  keepUp(): Promise<void>
  join(convoId: string): Promise<Group | undefined>
  learnRemovals(convoId: string): Promise<void>
  group(convoId: string): Group | undefined
}

/** Follows the event stream until the signal aborts, reconnecting when the connection is lost. */
export async function followEvents(
  device: Followed,
  service: DeliveryService,
  signal: AbortSignal,
  onTrouble: (error: unknown) => void,
): Promise<void> {
  let pauseMs = FIRST_PAUSE
  let cursor: string | undefined
  while (!signal.aborted) {
    const connection = new AbortController()
    const abort = () => connection.abort()
    signal.addEventListener('abort', abort)
    const lose = (error: unknown) => {
      if (connection.signal.aborted) return
      pauseMs = Math.max(pauseMs, retryAfterOf(error))
      // A service restored from a backup may not know the cursor. The sync catches up without it.
      if (isRefusal(error)) cursor = undefined
      connection.abort()
      onTrouble(error)
    }
    const syncing = new Syncing(device, connection.signal, onTrouble)
    try {
      // Syncing after the stream is open leaves no gap: everything later arrives as an event.
      const opened = () => {
        const reached = () => {
          pauseMs = FIRST_PAUSE
        }
        syncing.sync(reached).catch(lose)
      }
      for await (const event of service.events(cursor, connection.signal, opened)) {
        cursor = textOf(event.data.cursor) ?? cursor
        await takeEvent(device, event, signal, onTrouble).catch((error: unknown) => {
          // An error with one group must not end the stream for all of them.
          const failure = new SyncError([{ convoId: convoOf(event) || undefined, error }])
          onTrouble(failure)
          if (failure.isPassing) syncing.syncLater(failure.retryAfterMs).catch(lose)
        })
      }
    } catch (error) {
      lose(error)
    } finally {
      signal.removeEventListener('abort', abort)
      connection.abort()
    }
    await pause(pauseMs, signal)
    pauseMs = Math.min(2 * pauseMs, MAX_PAUSE)
  }
}

/** The syncs during one connection. They reject if the service cannot be reached. */
class Syncing {
  readonly #device: Followed
  readonly #signal: AbortSignal
  readonly #onTrouble: (error: unknown) => void
  #isComing = false

  constructor(device: Followed, signal: AbortSignal, onTrouble: (error: unknown) => void) {
    this.#device = device
    this.#signal = signal
    this.#onTrouble = onTrouble
  }

  /** Syncs, and repeats that while a retry may help. `reached` is called after the first one. */
  async sync(reached: () => void = () => {}): Promise<void> {
    let wait = await this.#once()
    reached()
    for (let pauseMs = FIRST_PAUSE; wait !== undefined; ) {
      await pause(Math.max(wait, pauseMs), this.#signal)
      if (this.#signal.aborted) return
      wait = await this.#once()
      pauseMs = Math.min(2 * pauseMs, MAX_RETRY)
    }
  }

  /** Syncs after a delay; does nothing if such a sync is already scheduled. */
  async syncLater(afterMs: number): Promise<void> {
    if (this.#isComing) return
    this.#isComing = true
    await pause(Math.max(afterMs, FIRST_PAUSE), this.#signal)
    this.#isComing = false
    if (!this.#signal.aborted) await this.sync()
  }

  /** Returns the milliseconds to wait before a retry; undefined if none makes sense. */
  async #once(): Promise<number | undefined> {
    const failure = await this.#device.sync().then(
      () => undefined,
      (error: unknown) => {
        if (!(error instanceof SyncError)) throw error
        this.#onTrouble(error)
        return error
      },
    )
    for (const group of this.#device.groups) {
      if (group.isCommitDue) settleInTurn(group, this.#signal).catch(this.#onTrouble)
    }
    return failure?.isPassing ? failure.retryAfterMs : undefined
  }
}

async function takeEvent(
  device: Followed,
  event: StreamEvent,
  signal: AbortSignal,
  onTrouble: (error: unknown) => void,
): Promise<void> {
  const { type, data } = event
  const name = type.slice(type.lastIndexOf('#') + 1)
  const message = data.message as JsonObject | undefined
  const convoId = convoOf(event)
  const group = device.group(convoId)
  if (name === 'keyPackagesEvent') await device.keepUp()
  if (name === 'welcomeEvent') await (await device.join(convoId))?.sync()
  if (name === 'infoEvent' && data.info === 'OutdatedCursor') await device.sync()
  const isDevice = name === 'changeEvent' && data.what === 'device'
  if (name !== 'messageEvent' && name !== 'membershipEvent' && !isDevice) return
  if (group?.status !== 'active') return
  if (group.cursor < Number(message?.seq ?? data.seq ?? 0)) await group.catchUp()
  // A member may have left without a proposal: then only the service knows which leaves remain.
  const isGoing = data.action === 'left' || data.action === 'removed' || isDevice
  if (isGoing && !group.isCommitDue) await device.learnRemovals(convoId)
  if (group.isCommitDue) settleInTurn(group, signal).catch(onTrouble)
}

/** The id of the event's conversation; empty if it has none. */
function convoOf({ data }: StreamEvent): string {
  const message = data.message as JsonObject | undefined
  return textOf(data.convoId) ?? textOf(message?.convoId) ?? ''
}

/** The first leaf commits at once; the others wait and commit only if it has not. */
async function settleInTurn(group: Group, signal: AbortSignal): Promise<void> {
  await pause(Math.min(group.turn * TURN, MAX_TURN), signal)
  if (!signal.aborted && group.isCommitDue) await group.settle()
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
