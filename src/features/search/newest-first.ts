import { setImmediate } from 'node:timers/promises'
import type { Ctx } from '../../context.ts'
import type { MessageRow } from '../../db/tables.ts'
import { MINUTE, toIso } from '../../platform/clock.ts'
import { firstIdAt } from '../../platform/ids.ts'
import { listMessages } from '../messages/access.ts'

export interface Source {
  readonly id: string
  readonly last_activity_at: string
}

/** Greater than any id created in our time. */
const END = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
/**
 * The first page of a conversation is short, since there may be a thousand conversations; then it doubles.
 */
const FIRST_PAGE = 16
const LAST_PAGE = 512
/**
 * Pages between two yields to the event loop: a thousand conversations may be
 * read before any row is returned.
 */
const PAGES_A_TURN = 4

/** A conversation being read backwards through its history. */
interface Reader {
  readonly id: string
  /** No message still to come has a greater id. */
  bound: string
  /** Read but not yet returned, the newest last. */
  rows: MessageRow[]
  page: number
}

/**
 * The messages of many conversations as one history, newest first, starting before `before`. Only rows of
 * these conversations are read, and those of each only when its turn comes.
 */
export async function* newestFirst(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  sources: readonly Source[],
  before: string = END,
): AsyncGenerator<MessageRow> {
  const readers = new BoundHeap()
  let pages = 0
  for (const source of sources) {
    // With a minute's tolerance: the clocks of nodes that share a database may differ.
    const newest = firstIdAt(Date.parse(source.last_activity_at) + MINUTE)
    const bound = newest < before ? newest : before
    readers.push({ id: source.id, bound, rows: [], page: FIRST_PAGE })
  }
  for (let reader = readers.pop(); reader; reader = readers.pop()) {
    const row = reader.rows.pop()
    if (row) yield row
    else {
      await readOn(ctx, reader)
      pages++
      if (pages % PAGES_A_TURN === 0) await setImmediate()
    }
    const next = reader.rows.at(-1)
    if (next) reader.bound = next.id
    else if (!row) continue
    readers.push(reader)
  }
}

/** Reads the page below the bound; the conversation is finished if it is empty. */
async function readOn(ctx: Pick<Ctx, 'db' | 'clock'>, reader: Reader): Promise<void> {
  reader.rows = await listMessages(ctx.db.read, {
    conversationId: reader.id,
    below: reader.bound,
    limit: reader.page,
    now: toIso(ctx.clock.now()),
  })
  reader.page = Math.min(reader.page * 2, LAST_PAGE)
}

/** A binary heap: the reader with the greatest bound comes first. */
class BoundHeap {
  readonly #items: Reader[] = []

  push(reader: Reader): void {
    const items = this.#items
    let at = items.push(reader) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if ((items[parent] as Reader).bound >= reader.bound) break
      items[at] = items[parent] as Reader
      at = parent
    }
    items[at] = reader
  }

  pop(): Reader | undefined {
    const items = this.#items
    const top = items[0]
    const last = items.pop()
    if (last && items.length > 0) this.#sink(last)
    return top
  }

  /** Puts the reader at the top and lets it sink to its place. */
  #sink(reader: Reader): void {
    const items = this.#items
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      const right = items[child + 1]
      if (right && right.bound > (items[child] as Reader).bound) child++
      if ((items[child] as Reader).bound <= reader.bound) break
      items[at] = items[child] as Reader
      at = child
    }
    items[at] = reader
  }
}
