import type { Ctx } from '../../context.ts'
import { type PersonalData, partOf } from '../../db/personal-data.ts'
import { toIso } from '../../platform/clock.ts'
import { didsOf } from '../atproto/service.ts'
import { leaveForGood } from './memberships.ts'
import { listConvoIds } from './store/members.ts'
import {
  deleteAllOf,
  keepIdentity,
  listDevicesOf,
  listMembershipsOf,
  listReportsBy,
} from './store/personal.ts'

export const mlsData: PersonalData<Ctx> = {
  tables: [
    ...(['mls_devices', 'mls_key_packages', 'mls_hand_outs', 'mls_opt_outs'] as const),
    ...(['mls_members', 'mls_leaves', 'mls_invites', 'mls_reports'] as const),
    // Messages are not exported: they are encrypted, and belong to the other members too.
    ...(['mls_welcomes', 'mls_cursors', 'mls_tickets', 'mls_blobs'] as const),
  ],
  async *collect(ctx, { userId }) {
    const { read } = ctx.db
    yield* partOf('encrypted-devices.json', await listDevicesOf(read, userId))
    yield* partOf('encrypted-groups.json', await listMembershipsOf(read, userId))
    yield* partOf('encrypted-reports.json', await listReportsBy(read, userId))
  },
  /**
   * Leaves every group. As with anyone who leaves, the person's leaves stay in the trees, under their DID,
   * until a member's commit removes them; otherwise the other members could not go on.
   */
  async erase(ctx, tx, person) {
    const { tenantId, userId } = person
    // Locked in a fixed order, so that two erasures cannot deadlock.
    for (const convoId of (await listConvoIds(tx, userId)).sort()) {
      await leaveForGood(ctx, tx, person, convoId)
    }
    const did = (await didsOf(ctx, tx, tenantId, [userId])).get(userId)
    if (did !== undefined) await keepIdentity(tx, userId, did)
    return deleteAllOf(tx, userId, toIso(ctx.clock.now()))
  },
}
