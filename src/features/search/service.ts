import { setImmediate } from 'node:timers/promises'
import type { Ctx } from '../../context.ts'
import type { MessageRow } from '../../db/tables.ts'
import { SECOND } from '../../platform/clock.ts'
import { fold, wordsOf } from '../../platform/words.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { listActivity, requireMember } from '../conversations/access.ts'
import { openContent, readMessages } from '../messages/service.ts'
import { newestFirst, type Source } from './newest-first.ts'
import type { Search, SearchPage } from './schema.ts'

/** What one request looks through at most: then it answers, and the client goes on from there. */
const MOST_ROWS = 20_000
const MOST_MS = 2 * SECOND
/** Rows between two turns of the event loop: a millisecond or two of work. */
const ROWS_A_TURN = 200

/**
 * Looks for words in one's own conversations, newest first, by opening message after message: no
 * index of what was said is kept anywhere. Ends early when nobody waits for the answer any more.
 */
export async function searchMessages(
  ctx: Pick<Ctx, 'db' | 'keyring' | 'log' | 'clock'>,
  actor: Actor,
  input: Search,
  signal: AbortSignal,
): Promise<SearchPage> {
  const me = requireUser(actor)
  const words = wordsOf(input.q)
  const deadline = ctx.clock.now() + MOST_MS
  const found: MessageRow[] = []
  let seen = 0
  let last: MessageRow | undefined
  for await (const row of newestFirst(ctx, await sourcesOf(ctx, me, input), input.before)) {
    last = row
    const content = openContent(ctx, row)
    if (content !== undefined && containsAll(fold(content), words)) found.push(row)
    if (found.length >= input.limit) return answer(ctx, found, last)
    seen++
    if (seen >= MOST_ROWS) return answer(ctx, found, last)
    if (seen % ROWS_A_TURN === 0) {
      await setImmediate()
      if (signal.aborted) {
        ctx.log.debug({ seen }, 'a search ended early: nobody waits for it')
        return answer(ctx, [], last)
      }
      if (ctx.clock.now() >= deadline) return answer(ctx, found, last)
    }
  }
  return answer(ctx, found, undefined)
}

async function sourcesOf(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  me: UserActor,
  { conversationId }: Search,
): Promise<readonly Source[]> {
  if (conversationId) await requireMember(ctx.db.read, me, conversationId)
  const all = await listActivity(ctx.db.read, me.tenantId, me.userId)
  return conversationId ? all.filter(({ id }) => id === conversationId) : all
}

function containsAll(text: string, words: readonly string[]): boolean {
  return words.every((word) => text.includes(word))
}

async function answer(
  ctx: Pick<Ctx, 'db' | 'keyring' | 'log' | 'clock'>,
  found: readonly MessageRow[],
  last: MessageRow | undefined,
): Promise<SearchPage> {
  const messages = await readMessages(ctx, found)
  // One may have run out of time since it was found.
  const shown = messages.filter((message) => message.deletedAt === null)
  return { messages: shown, next: last?.id ?? null }
}
