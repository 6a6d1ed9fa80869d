import type { Ctx } from '../../../context.ts'
import { appendEvents } from '../../../events/append.ts'
import { toIso } from '../../../platform/clock.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Actor, requireUser } from '../../../policy/actor.ts'
import { didsOf } from '../../atproto/service.ts'
import { recordAudit } from '../../audit/service.ts'
import { mlsErrors } from '../errors.ts'
import { convoEvent } from '../events.ts'
import { findDevice, listDevicesOf, updateDevice } from '../store/devices.ts'
import {
  countAvailable,
  countConsumed,
  deleteKeyPackages,
  deleteKeyPackagesOf,
  listRefsOf,
  type Stock,
} from '../store/key-packages.ts'
import { listConvosOfDevice } from '../store/leaves.ts'
import { deleteWelcomesOfDevice } from '../store/welcomes.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'config' | 'bus'>

/** A device with fewer packages than this is told to publish more. */
export const LOW_STOCK = 5

interface Stats {
  readonly available: number
  readonly threshold: number
  readonly needsReplenish: boolean
  readonly total: number
  readonly consumed: number
  readonly hasLastResort: boolean
}

/** How many key packages all or one of the caller's devices have left. */
export async function getKeyPackageStats(
  ctx: Needs,
  actor: Actor,
  input: { readonly deviceId?: string; readonly cipherSuite?: string },
): Promise<Stats> {
  const { userId } = requireUser(actor)
  const { deviceId, cipherSuite } = input
  const { read } = ctx.db
  if (deviceId !== undefined && !(await findDevice(read, userId, deviceId))) {
    throw new AppError(mlsErrors.deviceNotFound)
  }
  const stock = (await countAvailable(read, [userId], toIso(ctx.clock.now()))).filter(
    (one) =>
      (deviceId === undefined || one.device_id === deviceId) &&
      (cipherSuite === undefined || one.cipher_suite === cipherSuite),
  )
  const sum = (lastResort: number) =>
    stock.filter((one) => one.last_resort === lastResort).reduce((all, one) => all + one.count, 0)
  const available = sum(0)
  return {
    available,
    threshold: LOW_STOCK,
    needsReplenish: isLow(stock),
    total: available + sum(1),
    consumed: await countConsumed(read, userId, { deviceId, cipherSuite }),
    hasLastResort: sum(1) > 0,
  }
}

/** Whether any device is low on packages of a suite, or there are none at all. */
function isLow(stock: readonly Stock[]): boolean {
  const stocks = Map.groupBy(stock, ({ device_id, cipher_suite }) => `${device_id} ${cipher_suite}`)
  const left = [...stocks.values()].map((rows) =>
    rows.reduce((sum, { count, last_resort }) => sum + (last_resort === 0 ? count : 0), 0),
  )
  return left.length === 0 || left.some((count) => count < LOW_STOCK)
}

/** Deletes a device's packages whose private keys it no longer has. */
export async function syncKeyPackages(
  ctx: Needs,
  actor: Actor,
  input: { readonly deviceId: string; readonly localHashes: readonly string[] },
) {
  const { userId } = requireUser(actor)
  const known = new Set(input.localHashes)
  return ctx.db.transaction(async (tx) => {
    const device = await findDevice(tx, userId, input.deviceId)
    if (!device) throw new AppError(mlsErrors.deviceNotFound)
    const serverHashes = await listRefsOf(tx, device.id, toIso(ctx.clock.now()))
    const orphans = serverHashes.filter((ref) => !known.has(ref))
    await deleteKeyPackages(tx, orphans)
    return {
      serverHashes,
      orphanedCount: orphans.length,
      deletedCount: orphans.length,
      remainingAvailable: serverHashes.length - orphans.length,
    }
  })
}

export async function listDevices(ctx: Needs, actor: Actor) {
  const { tenantId, userId } = requireUser(actor)
  const { read } = ctx.db
  const devices = await listDevicesOf(read, userId)
  const stock = await countAvailable(read, [userId], toIso(ctx.clock.now()))
  const credentialDid = (await didsOf(ctx, read, tenantId, [userId])).get(userId)
  return {
    devices: devices.map((device) => ({
      deviceId: device.id,
      ...(device.name === null ? {} : { deviceName: device.name }),
      ...(device.device_uuid === null ? {} : { deviceUUID: device.device_uuid }),
      credentialDid,
      signaturePublicKey: new Uint8Array(Buffer.from(device.signature_key, 'base64')),
      registeredAt: device.created_at,
      lastSeenAt: device.last_seen_at,
      keyPackageCount: stock
        .filter((one) => one.device_id === device.id)
        .reduce((sum, { count }) => sum + count, 0),
    })),
  }
}

/**
 * Deletes one of the caller's devices with its key packages and Welcomes, so that it can no longer be
 * added. The members of its groups are told that its removal has to be committed.
 */
export async function deleteDevice(ctx: Needs, actor: Actor, input: { readonly deviceId: string }) {
  const me = requireUser(actor)
  const now = toIso(ctx.clock.now())
  return ctx.db.transaction(async (tx) => {
    const device = await findDevice(tx, me.userId, input.deviceId)
    if (!device) throw new AppError(mlsErrors.deviceNotFound)
    await updateDevice(tx, device.id, { deleted_at: now })
    const keyPackagesDeleted = await deleteKeyPackagesOf(tx, device.id, now)
    await deleteWelcomesOfDevice(tx, device.id)
    const convos = await listConvosOfDevice(tx, device.id)
    const events = convos.map(({ id: convoId, last_seq: seq }) =>
      convoEvent({ tenantId: me.tenantId, convoId, seq }, 'device', me.userId),
    )
    if (events.length > 0) await appendEvents(ctx, tx, events)
    await recordAudit(ctx, tx, actor, {
      type: 'mls.device_deleted',
      target: { type: 'mls_device', id: device.id },
    })
    return { deleted: true, keyPackagesDeleted, conversationsLeft: convos.length }
  })
}
