import type { Ctx } from '../../context.ts'
import { type PersonalData, partOf } from '../../db/personal-data.ts'
import { forgetDevicesOfUser, listDevices } from './store.ts'

export const deviceData: PersonalData<Ctx> = {
  // Queued pushes are deleted with their device.
  tables: ['push_devices', 'push_queue'],
  async *collect(ctx, { tenantId, userId }) {
    const rows = await listDevices(ctx.db.read, tenantId, [userId])
    yield* partOf(
      'devices.json',
      rows.map(({ token: _, p256dh: __, auth: ___, ...device }) => device),
    )
  },
  erase: (_ctx, tx, { userId }) => forgetDevicesOfUser(tx, userId),
}
