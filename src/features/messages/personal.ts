import { setImmediate } from 'node:timers/promises'
import type { Ctx } from '../../context.ts'
import type { Person, PersonalData } from '../../db/personal-data.ts'
import type { MessageRow } from '../../db/tables.ts'
import { findHeld } from '../retention/access.ts'
import { readMessage } from './read.ts'
import { findMessages } from './store.ts'
import { conversationsWith, listIdsWithSender } from './store-personal.ts'
import { wipeMessages } from './wipe.ts'

/** Rows per query, which takes a few milliseconds. */
const LOOK = 1000

export const messageData: PersonalData<Ctx> = {
  tables: ['messages'],
  async *collect(ctx, person) {
    yield { file: 'messages.json', rows: ownMessages(ctx, person) }
  },
  /** Erasing an account keeps its sent messages for their recipients; `wipeAllOf` deletes them on request. */
  erase: async () => 0,
}

async function* ownMessages(ctx: Ctx, person: Person) {
  for await (const rows of pagesOf(ctx, person)) yield rows.map((row) => readMessage(ctx, row))
}

/** Everything the person sent that is not deleted, conversation by conversation, in pages. */
async function* pagesOf(ctx: Pick<Ctx, 'db'>, person: Person): AsyncGenerator<MessageRow[]> {
  for (const conversationId of await conversationsWith(ctx.db.read, person.userId)) {
    for (let after = ''; ; ) {
      const page = await listIdsWithSender(ctx.db.read, conversationId, after, LOOK)
      const own = page.filter((row) => row.sender_id === person.userId).map((row) => row.id)
      const rows = await findMessages(ctx.db.read, own)
      const shown = rows.filter((row) => row.deleted_at === null)
      if (shown.length > 0) yield shown
      // Lets other requests run between pages.
      await setImmediate()
      if (page.length < LOOK) break
      after = page.at(-1)?.id ?? after
    }
  }
}

/**
 * Deletes everything the person sent, in small transactions, except in conversations under a legal hold.
 * Returns the number of messages.
 */
export async function wipeAllOf(ctx: Ctx, person: Person, signal: AbortSignal): Promise<number> {
  let count = 0
  for await (const rows of pagesOf(ctx, person)) {
    if (signal.aborted) break
    for (let start = 0; start < rows.length && !signal.aborted; start += 200) {
      const page = rows.slice(start, start + 200)
      const wiped = await ctx.db.transaction(async (tx) => {
        const held = new Set((await findHeld(tx)).conversationIds)
        const free = page.filter(({ conversation_id }) => !held.has(conversation_id))
        return wipeMessages(
          ctx,
          tx,
          free.map(({ id }) => id),
        )
      })
      count += wiped.length
    }
  }
  return count
}
