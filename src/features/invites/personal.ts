import type { Ctx } from '../../context.ts'
import { type PersonalData, partOf } from '../../db/personal-data.ts'
import { clearNotes, listInvitationsOf } from './store.ts'

export const inviteData: PersonalData<Ctx> = {
  tables: ['invitations'],
  async *collect(ctx, { userId }) {
    const rows = await listInvitationsOf(ctx.db.read, userId)
    yield* partOf(
      'invitations.json',
      rows.map(({ token_hash: _, ...invitation }) => invitation),
    )
  },
  /** Notes may name the person whom an invitation was for. */
  erase: (_ctx, tx, { userId }) => clearNotes(tx, userId),
}
