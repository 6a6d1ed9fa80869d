import { setImmediate } from 'node:timers/promises'
import type { Ctx } from '../../context.ts'
import type { MessageRow } from '../../db/tables.ts'
import { SECOND } from '../../platform/clock.ts'
import { fold, wordsOf } from '../../platform/words.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { listActivity, requireMember } from '../conversations/access.ts'
import type { Message } from '../messages/schema.ts'
import { openContent, readMessages } from '../messages/service.ts'
import { newestFirst, type Source } from './newest-first.ts'
import type { Search, SearchLine, SearchPage } from './schema.ts'

/** The most that one request reads: it then answers, and the client continues from there. */
const MAX_ROWS = 20_000
const MAX_MS = 2 * SECOND
/** Rows between two yields to the event loop: a millisecond or two of work. */
const ROWS_A_TURN = 200

type Needs = Pick<Ctx, 'db' | 'keyring' | 'log' | 'clock'>

/**
 * Searches the caller's conversations for words, newest first, by decrypting message after message: no
 * index of message content is kept anywhere. Ends early if the client is gone.
 */
export async function searchMessages(
  ctx: Needs,
  actor: Actor,
  input: Search,
  signal: AbortSignal,
): Promise<SearchPage> {
  const matches = await findMatches(ctx, actor, input, signal)
  const found: MessageRow[] = []
  for (;;) {
    const { done, value } = await matches.next()
    if (done) return { messages: await readShown(ctx, found), next: value }
    found.push(value)
  }
}

/** The same as a stream of matches; the last line says where to continue. */
export async function streamSearch(
  ctx: Needs,
  actor: Actor,
  input: Search,
  signal: AbortSignal,
): Promise<AsyncGenerator<SearchLine, void>> {
  // Before the response starts, so that a conversation of others is refused with a regular error.
  const matches = await findMatches(ctx, actor, input, signal)
  return toLines(ctx, matches)
}

async function* toLines(ctx: Needs, matches: Matches): AsyncGenerator<SearchLine, void> {
  for (;;) {
    const { done, value } = await matches.next()
    if (done) return yield { next: value }
    yield* await readShown(ctx, [value])
  }
}

/** Yields rows, and returns where to continue, or null at the end of the history. */
type Matches = AsyncGenerator<MessageRow, string | null>

async function findMatches(
  ctx: Needs,
  actor: Actor,
  input: Search,
  signal: AbortSignal,
): Promise<Matches> {
  return lookThrough(ctx, await sourcesOf(ctx, requireUser(actor), input), input, signal)
}

async function* lookThrough(
  ctx: Needs,
  sources: readonly Source[],
  { q, before, limit }: Search,
  signal: AbortSignal,
): Matches {
  const words = wordsOf(q)
  const deadline = ctx.clock.now() + MAX_MS
  let found = 0
  let seen = 0
  for await (const row of newestFirst(ctx, sources, before)) {
    const content = openContent(ctx, row)
    if (content !== undefined && containsAll(fold(content), words)) {
      yield row
      found++
    }
    seen++
    if (found >= limit || seen >= MAX_ROWS) return row.id
    if (seen % ROWS_A_TURN === 0) {
      await setImmediate()
      if (signal.aborted) {
        ctx.log.debug({ seen }, 'a search ended early: the caller has gone')
        return row.id
      }
      if (ctx.clock.now() >= deadline) return row.id
    }
  }
  return null
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

async function readShown(ctx: Needs, found: readonly MessageRow[]): Promise<Message[]> {
  const messages = await readMessages(ctx, found)
  // One may have expired since it was found.
  return messages.filter((message) => message.deletedAt === null)
}
