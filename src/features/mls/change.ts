import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { AppError } from '../../platform/errors.ts'
import type { UserActor } from '../../policy/actor.ts'
import { type Membership, requireMember, requireMembership } from './access.ts'
import { mlsErrors } from './errors.ts'
import { orEarlierAnswer, type Repeatable, runIdempotent } from './once.ts'
import { type Convo, lockConvo } from './store/convos.ts'
import { inTurn } from './turns.ts'

export interface Change<R, T> extends Repeatable {
  readonly convoId: string
  /** Set for commits: of many concurrent ones only one is accepted. */
  readonly isCommit?: true
  /** Decodes and verifies the input before the transaction. */
  read(convo: Convo): Promise<R>
  /** Decides and writes, under the conversation's lock and with the caller a current member. */
  write(tx: Tx, membership: Membership, read: R): Promise<T>
}

/**
 * Runs a member's change of a conversation. A repeated request gets its first answer even if the caller
 * is no longer a member, for example after leaving.
 */
export async function changeConvo<R, T extends object>(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  me: UserActor,
  change: Change<R, T>,
): Promise<T> {
  const { db } = ctx
  return orEarlierAnswer(db.read, me, change, async () => {
    const { convo: known } = await requireMember(db.read, me, change.convoId)
    const read = await change.read(known)
    const write = () =>
      db.transaction((tx) =>
        runIdempotent(ctx, tx, me, change, async () => {
          const convo = await lockConvo(tx, me.tenantId, change.convoId)
          if (!convo) throw new AppError(mlsErrors.convoNotFound)
          const member = await requireMembership(tx, me, convo)
          return change.write(tx, { convo, member }, read)
        }),
      )
    return change.isCommit ? inTurn(db, change.convoId, write) : write()
  })
}

/** The `read` of a change that decodes nothing beforehand. */
export async function nothing(): Promise<undefined> {
  return undefined
}
