import type { DeliveryService } from '../delivery/delivery-service.ts'
import type { JsonObject, StreamEvent } from '../delivery/transport.ts'
import type { Group } from '../groups/group.ts'

/** Milliseconds before the first new try of a lost connection; each further one waits twice as long … */
const FIRST_PAUSE = 500
/** … up to this. */
const LONGEST_PAUSE = 30_000
/** Milliseconds that each further leaf waits before it commits what is due, so that one does it. */
const TURN = 300
const LONGEST_TURN = 10_000

/** What following needs of a device. */
export interface Followed {
  sync(): Promise<void>
  keepUp(): Promise<void>
  join(convoId: string): Promise<Group | undefined>
  group(convoId: string): Group | undefined
}

/** Follows the event stream until the signal, over lost connections. */
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
    try {
      // Synced once the stream is open: what happens from then on comes as an event.
      let synced = Promise.resolve()
      const opened = () => {
        synced = device.sync()
        synced.then(() => (pauseMs = FIRST_PAUSE), abort)
      }
      for await (const event of service.events(cursor, connection.signal, opened)) {
        cursor = textOf(event.data.cursor) ?? cursor
        await takeEvent(device, event, signal, onTrouble)
      }
      await synced
    } catch (error) {
      if (!signal.aborted) onTrouble(error)
    } finally {
      signal.removeEventListener('abort', abort)
      connection.abort()
    }
    await pause(pauseMs, signal)
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE)
  }
}

async function takeEvent(
  device: Followed,
  { type, data }: StreamEvent,
  signal: AbortSignal,
  onTrouble: (error: unknown) => void,
): Promise<void> {
  const name = type.slice(type.lastIndexOf('#') + 1)
  const message = data.message as JsonObject | undefined
  const convoId = textOf(data.convoId) ?? textOf(message?.convoId) ?? ''
  const group = device.group(convoId)
  if (name === 'keyPackagesEvent') await device.keepUp()
  if (name === 'welcomeEvent') await (await device.join(convoId))?.sync()
  if (name === 'infoEvent' && data.info === 'OutdatedCursor') await device.sync()
  if (name !== 'messageEvent' && name !== 'membershipEvent') return
  if (group?.status !== 'active') return
  if (group.cursor < Number(message?.seq ?? data.seq)) await group.catchUp()
  if (group.isCommitDue) settleInTurn(group, signal).catch(onTrouble)
}

/** The first leaf commits at once, the others if it has not. */
async function settleInTurn(group: Group, signal: AbortSignal): Promise<void> {
  await pause(Math.min(group.turn * TURN, LONGEST_TURN), signal)
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
