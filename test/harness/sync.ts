import { assertDone, type Rest } from './rest.ts'

export interface SyncEvent {
  readonly type: string
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the event.
  readonly data: any
  readonly seq: number
}

/** Fetches all events since the cursor, page by page. */
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

/** The current cursor. */
export async function cursorOf(rest: Rest): Promise<string> {
  return assertDone(await rest.get('/api/sync')).cursor
}
