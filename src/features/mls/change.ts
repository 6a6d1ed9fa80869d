import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { AppError } from '../../platform/errors.ts'
import type { UserActor } from '../../policy/actor.ts'
import { type Membership, requireMember, requireMembership } from './access.ts'
import { mlsErrors } from './errors.ts'
import { answerOnce, orFirstAnswer, type Repeatable } from './once.ts'
import { type Convo, holdConvo } from './store.ts'
import { inTurn } from './turns.ts'

export interface Change<R, T> extends Repeatable {
  readonly convoId: string
  /** A commit: many may come at once, of which one is taken. */
  readonly isCommit?: true
  /** Decodes and verifies what came, before the transaction. */
  read(convo: Convo): Promise<R>
  /** Decides and writes, the conversation being held and the caller a present member. */
  write(tx: Tx, membership: Membership, read: R): Promise<T>
}

/**
 * A member's change of a conversation. A repeat gets its first answer also when the caller is no
 * member any more, as after leaving.
 */
export async function changeConvo<R, T extends object>(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  me: UserActor,
  change: Change<R, T>,
): Promise<T> {
  const { db } = ctx
  return orFirstAnswer(db.read, me, change, async () => {
    const { convo: known } = await requireMember(db.read, me, change.convoId)
    const read = await change.read(known)
    const write = () =>
      db.transaction((tx) =>
        answerOnce(ctx, tx, me, change, async () => {
          const convo = await holdConvo(tx, me.tenantId, change.convoId)
          if (!convo) throw new AppError(mlsErrors.convoNotFound)
          const member = await requireMembership(tx, me, convo)
          return change.write(tx, { convo, member }, read)
        }),
      )
    return change.isCommit ? inTurn(db, change.convoId, write) : write()
  })
}

/** For a change that reads nothing beforehand. */
export async function nothing(): Promise<undefined> {
  return undefined
}
