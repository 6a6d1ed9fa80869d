import type { PendingChangeRow, UserRow } from '../../db/tables.ts'
import { createLoop } from '../../jobs/loop.ts'
import { MINUTE, SECOND, toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { findServerAccount } from '../accounts/service-accounts.ts'
import type { Message } from '../messages/schema.ts'
import { sendMessage } from '../messages/service.ts'
import { syncErrors } from '../sync/errors.ts'
import { getChanges } from '../sync/service.ts'
import { actorOf } from './actor-of.ts'
import { findDecider } from './approvers.ts'
import { approveChange, type DecideNeeds, kindOf, refuseChange } from './decide.ts'
import { listPending } from './store.ts'

const ANSWER = /^\s*(yes|no)\s+([a-z0-9]{6})[\s.!]*$/i
const GAP_MS = 20
const IDLE_MS = MINUTE
const PAGE = 500

export interface AnswerListener {
  stop(): Promise<void>
}

/**
 * Watches for administrators' answers to the server's questions. The bus only signals that there may be one:
 * what counts are committed messages, including those from before a restart.
 */
export function startAnswers(ctx: DecideNeeds): AnswerListener {
  const loop = createLoop({
    gapMs: GAP_MS,
    retryMs: SECOND,
    log: ctx.log,
    failure: 'answers could not be read; trying again',
    async work() {
      for (const change of await listPending(ctx.db.read, toIso(ctx.clock.now()))) {
        await readAnswer(ctx, change)
      }
      return IDLE_MS
    },
  })
  ctx.bus.subscribe({
    events(events) {
      const isAnswer = events.some(
        ({ name, payload }) =>
          name === 'MessageReceived' && ANSWER.test((payload as Message).content),
      )
      if (isAnswer) loop.wake()
    },
    signal() {},
    disconnect() {},
  })
  loop.wake()
  return loop
}

/** Looks for the first answer to the change by a user who may decide it. */
async function readAnswer(ctx: DecideNeeds, change: PendingChangeRow): Promise<void> {
  const server = await findServerAccount(ctx.db.read, change.tenant_id)
  if (!server) return
  for (const message of await listSaid(ctx, server, change)) {
    const [, word = '', code = ''] = ANSWER.exec(message.content) ?? []
    // Sent in time and not edited: an edit may come from someone else, such as a program.
    const counts = message.createdAt <= change.expires_at && message.editedAt === null
    if (code.toUpperCase() !== change.code || !counts) continue
    const decider = await findDecider(ctx, change, message, kindOf(change).permission)
    if (!decider) continue
    const decide = word.toLowerCase() === 'yes' ? approveChange : refuseChange
    const told = await decide(ctx, change, decider)
    if (told !== undefined) await reply(ctx, server, change, message.conversationId, told)
    return
  }
}

/** Messages to the server's account since the question. */
async function listSaid(
  ctx: DecideNeeds,
  server: UserRow,
  { cursor: from }: PendingChangeRow,
): Promise<Message[]> {
  const reader = actorOf(server, ctx.ids, 'server:read')
  const said: Message[] = []
  try {
    for (let cursor = from; ; ) {
      const page = await getChanges(ctx, reader, { cursor, limit: PAGE })
      for (const { type, data } of page.events) {
        if (type === 'MessageReceived') said.push(data as Message)
      }
      if (!page.hasMore || page.cursor === cursor) return said
      cursor = page.cursor
    }
  } catch (error) {
    // After a restore the question's cursor is no longer valid: the change expires.
    if (error instanceof AppError && error.code === syncErrors.cursorExpired.code) return []
    throw error
  }
}

async function reply(
  ctx: DecideNeeds,
  server: UserRow,
  { id }: PendingChangeRow,
  conversationId: string,
  content: string,
): Promise<void> {
  const message = { conversationId, content, clientMessageId: `done:${id}` }
  await sendMessage(ctx, actorOf(server, ctx.ids, 'server:answer'), message)
}
