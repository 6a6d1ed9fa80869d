import type { Ctx } from '../../../context.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Actor, requireUser } from '../../../policy/actor.ts'
import { requireMember } from '../access.ts'
import { mlsErrors } from '../errors.ts'
import type { ConvoId } from '../schema.ts'
import { listConvosOf } from '../store/convos.ts'
import { viewConvos } from './view.ts'

type Needs = Pick<Ctx, 'db' | 'config'>

export async function getEpoch(ctx: Needs, actor: Actor, input: ConvoId) {
  const { convo } = await requireMember(ctx.db.read, requireUser(actor), input.convoId)
  return { convoId: convo.id, currentEpoch: convo.epoch, lastSeq: convo.last_seq }
}

/** The caller's conversations, newest first. */
export async function getConvos(
  ctx: Needs,
  actor: Actor,
  input: { readonly limit: number; readonly cursor?: string },
) {
  const { userId } = requireUser(actor)
  const { read } = ctx.db
  const [createdAt, id, ...more] = input.cursor?.split(' ') ?? []
  const isGood = createdAt !== undefined && id !== undefined && more.length === 0
  if (input.cursor !== undefined && !isGood) throw new AppError(mlsErrors.invalidCursor)
  const after = isGood ? { createdAt, id } : undefined
  const convos = await listConvosOf(read, userId, after, input.limit + 1)
  const page = convos.slice(0, input.limit)
  const last = page.at(-1)
  return {
    conversations: await viewConvos(ctx, read, page),
    ...(last && convos.length > page.length ? { cursor: `${last.created_at} ${last.id}` } : {}),
  }
}
