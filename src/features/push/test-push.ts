import type { Ctx } from '../../context.ts'
import type { PushDeviceRow } from '../../db/tables.ts'
import type { PushSignal } from '../../outbound/push.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { vapidPublicKey } from '../../platform/vapid.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { requireAccount } from '../accounts/access.ts'
import { recordAudit } from '../audit/service.ts'
import { listDevices } from '../devices/access.ts'
import type { DeviceId, PushTest, VapidKey } from './schema.ts'
import { channelOf, noteOutcome, send } from './send.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'log' | 'push'>

const SIGNAL: PushSignal = { data: { type: 'test' }, ttlSeconds: 60, collapseKey: 'test' }

/** The public key that browsers subscribe with. */
export async function getVapidKey(ctx: Pick<Ctx, 'keyring'>): Promise<VapidKey> {
  return { publicKey: vapidPublicKey(ctx.keyring.current('vapid').key) }
}

/** Sends a push without content to one of the caller's devices and reports how far it got. */
export async function testDevice(ctx: Needs, actor: Actor, input: DeviceId): Promise<PushTest> {
  const { tenantId, userId } = requireUser(actor)
  const devices = await listDevices(ctx.db.read, tenantId, [userId])
  const device = devices.find(({ id }) => id === input.id)
  if (!device) throw new AppError(commonErrors.notFound)
  return testOne(ctx, actor, device)
}

export interface DeviceTest extends PushTest {
  readonly id: string
  readonly kind: PushDeviceRow['kind']
}

/** The same for every device of a user, one after another. */
export async function testDevicesOf(
  ctx: Needs,
  actor: Actor,
  input: { user: string },
): Promise<DeviceTest[]> {
  const user = await requireAccount(ctx.db.read, actor.tenantId, input.user)
  const tests: DeviceTest[] = []
  for (const device of await listDevices(ctx.db.read, actor.tenantId, [user.id])) {
    tests.push({ id: device.id, kind: device.kind, ...(await testOne(ctx, actor, device)) })
  }
  return tests
}

async function testOne(ctx: Needs, actor: Actor, device: PushDeviceRow): Promise<PushTest> {
  const known = { hop: 'device', ok: true, detail: device.kind } as const
  const channel = channelOf(ctx, device)
  const addressee = { ...device, device_id: device.id }
  const outcome = await send(ctx, addressee, SIGNAL)
  await ctx.db.transaction((tx) =>
    recordAudit(ctx, tx, actor, {
      type: 'device.tested',
      target: { type: 'device', id: device.id },
      details: { code: outcome?.code ?? 'channel_off' },
    }),
  )
  if (!channel || !outcome) {
    return { delivered: false, hops: [known, { hop: 'channel', ok: false, detail: 'off' }] }
  }
  await noteOutcome(ctx, addressee, outcome)
  const delivered = outcome.kind === 'delivered'
  const passed = channel.hops.slice(0, channel.hops.indexOf(outcome.hop))
  return {
    delivered,
    hops: [
      known,
      { hop: 'channel', ok: true, detail: 'on' },
      ...passed.map((hop) => ({ hop, ok: true, detail: 'ok' })),
      { hop: outcome.hop, ok: delivered, detail: outcome.code },
    ],
  }
}
