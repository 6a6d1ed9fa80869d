import type { Ctx } from '../../../context.ts'
import type { Tx } from '../../../db/database.ts'
import type { AppEvent } from '../../../events/event.ts'
import { toIso } from '../../../platform/clock.ts'
import { type InConvo, welcomeEvent } from '../events.ts'
import { consumeKeyPackages } from '../store/key-packages.ts'
import { insertWelcomes } from '../store/welcomes.ts'
import type { Added } from './adding.ts'

/** Stores the Welcome for every added device, consumes the key packages, and returns the events to append. */
export async function deliverWelcome(
  ctx: Pick<Ctx, 'clock' | 'ids'>,
  tx: Tx,
  place: InConvo,
  epoch: number,
  { packages }: Added,
  welcome: Buffer,
): Promise<AppEvent[]> {
  const { tenantId, convoId, seq } = place
  const now = toIso(ctx.clock.now())
  const welcomeId = ctx.ids.next()
  await insertWelcomes(
    tx,
    { id: welcomeId, tenant_id: tenantId, body: welcome },
    packages.map(({ ref, user_id, device_id }) => ({
      convo_id: convoId,
      key_package_ref: ref,
      tenant_id: tenantId,
      user_id,
      device_id,
      welcome_id: welcomeId,
      epoch,
      joined_seq: seq,
      created_at: now,
      failed_at: null,
    })),
  )
  await consumeKeyPackages(
    tx,
    packages.map(({ ref }) => ref),
    now,
  )
  return packages.map(({ user_id, device_id }) => welcomeEvent(place, user_id, device_id))
}
