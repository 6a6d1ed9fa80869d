import type { Ctx } from '../../context.ts'
import { type PersonalData, partOf } from '../../db/personal-data.ts'
import { toIso } from '../../platform/clock.ts'
import { deleteAllOf, listDevicesOf, listMembershipsOf, listReportsBy } from './store-personal.ts'

export const mlsData: PersonalData<Ctx> = {
  tables: [
    ...(['mls_devices', 'mls_key_packages', 'mls_hand_outs', 'mls_opt_outs'] as const),
    ...(['mls_members', 'mls_leaves', 'mls_invites', 'mls_reports'] as const),
    // What was sent is sealed, and the members' too.
    ...(['mls_welcomes', 'mls_cursors', 'mls_tickets', 'mls_blobs'] as const),
  ],
  async *collect(ctx, { userId }) {
    const { read } = ctx.db
    yield* partOf('encrypted-devices.json', await listDevicesOf(read, userId))
    yield* partOf('encrypted-groups.json', await listMembershipsOf(read, userId))
    yield* partOf('encrypted-reports.json', await listReportsBy(read, userId))
  },
  erase: (ctx, tx, { userId }) => deleteAllOf(tx, userId, toIso(ctx.clock.now())),
}
