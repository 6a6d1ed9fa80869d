import { assertDone, type Rest } from './rest.ts'

export interface SyncEvent {
  readonly type: string
  // biome-ignore lint/suspicious/noExplicitAny: a test says itself what it expects in an event.
  readonly data: any
  readonly seq: number
}

/** Everything since the cursor, page by page. */
export async function changes(rest: Rest, cursor: string, limit = 500) {
  const events: SyncEvent[] = []
  for (let next = cursor; ; ) {
    const query = `?cursor=${encodeURIComponent(next)}&limit=${limit}`
    const page = assertDone(await rest.get(`/api/sync${query}`))
    events.push(...page.events)
    next = page.cursor
    if (!page.hasMore) return { events, cursor: next }
  }
}

/** The cursor of now. */
export async function cursorOf(rest: Rest): Promise<string> {
  return assertDone(await rest.get('/api/sync')).cursor
}
