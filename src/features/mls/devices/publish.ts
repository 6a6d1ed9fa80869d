import type { Ctx } from '../../../context.ts'
import type { Tx } from '../../../db/database.ts'
import type { MlsDeviceRow } from '../../../db/tables.ts'
import { fromBase64 } from '../../../platform/base64.ts'
import { DAY, HOUR, toIso } from '../../../platform/clock.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../../policy/actor.ts'
import { lockUser } from '../../accounts/access.ts'
import { didsOf } from '../../atproto/service.ts'
import { recordAudit } from '../../audit/service.ts'
import { registerDevice as registerPush } from '../../devices/service.ts'
import { mlsErrors } from '../errors.ts'
import { orEarlierAnswer, runIdempotent } from '../once.ts'
import type { KeyPackageInput, RegisterDevice } from '../schema.ts'
import { insertDevice, listDevicesOfAll, updateDevice } from '../store/devices.ts'
import { countAvailable, insertKeyPackage } from '../store/key-packages.ts'
import { CIPHER_SUITES } from '../wire/mls-library.ts'
import { type KeyPackageFacts, readKeyPackage } from '../wire/reading.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'config'>

/** The largest key package in bytes; with many capabilities and a hybrid suite one has about 3 KiB. */
const MAX_BYTES = 64 * 1024
const MAX_DAYS = 90
/** Limits on unused packages per device and on devices per account. */
const MAX_PACKAGES = 100
const MAX_DEVICES = 20
/** How far a device's clock may be ahead. */
const SKEW = HOUR

interface ReadPackage {
  readonly facts: KeyPackageFacts
  readonly expiresAt: string
  readonly deviceId: string | undefined
  readonly isLastResort: boolean
}

/** Decodes and verifies a key package before the transaction; `did` is the caller's. */
async function read(
  ctx: Needs,
  did: string | undefined,
  input: KeyPackageInput,
): Promise<ReadPackage> {
  if (!CIPHER_SUITES.has(input.cipherSuite)) throw new AppError(mlsErrors.invalidCipherSuite)
  const bytes = fromBase64(input.keyPackage, mlsErrors.invalidKeyPackage)
  const facts = bytes.length <= MAX_BYTES ? await readKeyPackage(bytes) : undefined
  if (!facts || facts.identity !== did) throw new AppError(mlsErrors.invalidKeyPackage)
  if (facts.cipherSuite !== input.cipherSuite) throw new AppError(mlsErrors.invalidCipherSuite)
  const now = ctx.clock.now()
  const [from, until] = [facts.notBefore * 1000, facts.notAfter * 1000]
  const expires = Date.parse(input.expires)
  if (!(from <= now + SKEW && until > now) || !(expires > now)) {
    throw new AppError(mlsErrors.invalidKeyPackage)
  }
  // Most libraries start a lifetime a little in the past, for clocks that are behind.
  const most = MAX_DAYS * DAY
  if (until - from > most + DAY || until - now > most + SKEW || expires - now > most + SKEW) {
    throw new AppError(mlsErrors.expirationTooFar)
  }
  return {
    facts,
    expiresAt: toIso(Math.min(expires, until)),
    deviceId: input.deviceId,
    isLastResort: input.lastResort ?? facts.isLastResort,
  }
}

/** A device and how many more packages it may have. */
interface DeviceStock {
  readonly device: MlsDeviceRow
  room: number
}

/**
 * The stock of the device that signed the package; a new device is registered. The account stays locked until
 * the transaction ends, so that the limits hold for requests at the same time too.
 */
async function openStock(
  ctx: Needs,
  tx: Tx,
  actor: UserActor,
  { facts, deviceId }: ReadPackage,
): Promise<DeviceStock> {
  const { userId } = actor
  const now = toIso(ctx.clock.now())
  await lockUser(tx, actor.tenantId, userId)
  const devices = await listDevicesOfAll(tx, [userId])
  const known = devices.find((device) => device.signature_key === facts.signatureKey)
  if (known) {
    // A deleted device must not come back by publishing again.
    if (known.deleted_at !== null) throw new AppError(mlsErrors.deviceNotFound)
    await updateDevice(tx, known.id, { last_seen_at: now })
    const stock = await countAvailable(tx, [userId], now)
    const mine = stock.filter((one) => one.device_id === known.id)
    return { device: known, room: MAX_PACKAGES - mine.reduce((sum, { count }) => sum + count, 0) }
  }
  // Checked before the device is inserted: in a batch, a refusal does not undo what was written.
  if (deviceId !== undefined) throw new AppError(mlsErrors.deviceNotFound)
  if (devices.filter((device) => device.deleted_at === null).length >= MAX_DEVICES) {
    throw new AppError(mlsErrors.tooManyDevices)
  }
  const device: MlsDeviceRow = {
    id: ctx.ids.next(),
    tenant_id: actor.tenantId,
    user_id: userId,
    signature_key: facts.signatureKey,
    name: null,
    device_uuid: null,
    created_at: now,
    last_seen_at: now,
    deleted_at: null,
  }
  await insertDevice(tx, device)
  await recordAudit(ctx, tx, actor, {
    type: 'mls.device_registered',
    target: { type: 'mls_device', id: device.id },
  })
  return { device, room: MAX_PACKAGES }
}

/** Stores a device's package; returns false if it exists already. */
async function store(
  ctx: Needs,
  tx: Tx,
  stock: DeviceStock,
  { facts, expiresAt, deviceId, isLastResort }: ReadPackage,
): Promise<boolean> {
  const { device } = stock
  if (deviceId !== undefined && deviceId !== device.id) throw new AppError(mlsErrors.deviceNotFound)
  if (stock.room <= 0) throw new AppError(mlsErrors.tooManyKeyPackages)
  const isNew = await insertKeyPackage(tx, {
    ref: facts.ref,
    tenant_id: device.tenant_id,
    user_id: device.user_id,
    device_id: device.id,
    cipher_suite: facts.cipherSuite,
    key_package: facts.message,
    last_resort: isLastResort ? 1 : 0,
    created_at: toIso(ctx.clock.now()),
    expires_at: expiresAt,
    handed_out_at: null,
    consumed_at: null,
  })
  if (isNew) stock.room -= 1
  return isNew
}

async function didOfCaller(ctx: Needs, me: UserActor): Promise<string | undefined> {
  return (await didsOf(ctx, ctx.db.read, me.tenantId, [me.userId])).get(me.userId)
}

export interface Published {
  readonly success: true
  readonly deviceId: string
  readonly keyPackageHash: string
}

/** Publishes one key package; one that exists already stays as it is. */
export async function publishKeyPackage(
  ctx: Needs,
  actor: Actor,
  input: KeyPackageInput,
  bodyHash: string,
): Promise<Published> {
  const me = requireUser(actor)
  const once = { method: 'publishKeyPackage', key: input.idempotencyKey, bodyHash }
  // The package of a repeated request may have expired since.
  return orEarlierAnswer(ctx.db.read, me, once, async () => {
    const parsed = await read(ctx, await didOfCaller(ctx, me), input)
    return ctx.db.transaction((tx) =>
      runIdempotent(ctx, tx, me, once, async () => {
        const stock = await openStock(ctx, tx, me, parsed)
        await store(ctx, tx, stock, parsed)
        return { success: true, deviceId: stock.device.id, keyPackageHash: parsed.facts.ref }
      }),
    )
  })
}

interface PublishedSome {
  readonly succeeded: number
  readonly failed: number
  readonly skipped: number
  readonly errors: { index: number; error: string; message: string }[]
  readonly deviceId?: string
  readonly keyPackageHashes: string[]
}

/** Publishes several key packages; each is accepted or refused individually. */
export async function publishKeyPackages(
  ctx: Needs,
  actor: Actor,
  input: { readonly keyPackages: readonly KeyPackageInput[]; readonly idempotencyKey?: string },
  bodyHash: string,
): Promise<PublishedSome> {
  const me = requireUser(actor)
  const did = await didOfCaller(ctx, me)
  const parsed: (ReadPackage | AppError)[] = []
  for (const one of input.keyPackages) parsed.push(await read(ctx, did, one).catch(asRefusal))
  const once = { method: 'publishKeyPackages', key: input.idempotencyKey, bodyHash }
  return ctx.db.transaction((tx) =>
    runIdempotent(ctx, tx, me, once, () => storeSome(ctx, tx, me, parsed)),
  )
}

function asRefusal(error: unknown): AppError {
  if (error instanceof AppError) return error
  throw error
}

async function storeSome(
  ctx: Needs,
  tx: Tx,
  me: UserActor,
  parsed: readonly (ReadPackage | AppError)[],
): Promise<PublishedSome> {
  const stocks = new Map<string, DeviceStock>()
  const errors: PublishedSome['errors'] = []
  const keyPackageHashes: string[] = []
  let [succeeded, skipped] = [0, 0]
  for (const [index, one] of parsed.entries()) {
    try {
      if (one instanceof AppError) throw one
      const key = one.facts.signatureKey
      const stock = stocks.get(key) ?? (await openStock(ctx, tx, me, one))
      stocks.set(key, stock)
      if (await store(ctx, tx, stock, one)) succeeded += 1
      else skipped += 1
      keyPackageHashes.push(one.facts.ref)
    } catch (error) {
      const { code, message } = asRefusal(error)
      errors.push({ index, error: code, message })
    }
  }
  const [stock] = stocks.values()
  return {
    ...{ succeeded, failed: errors.length, skipped, errors, keyPackageHashes },
    ...(stock ? { deviceId: stock.device.id } : {}),
  }
}

/**
 * Names a device and publishes its first key packages, whose signatures prove that the device has the key.
 * If one of them is invalid, none is stored.
 */
export async function registerDevice(
  ctx: Needs,
  actor: Actor,
  input: RegisterDevice,
  bodyHash: string,
): Promise<{ deviceId: string; mlsDid: string; autoJoinedConvos: string[] }> {
  const me = requireUser(actor)
  const once = { method: 'registerDevice', key: input.idempotencyKey, bodyHash }
  const registered = await orEarlierAnswer(ctx.db.read, me, once, async () => {
    const did = await didOfCaller(ctx, me)
    const parsed: ReadPackage[] = []
    for (const one of input.keyPackages) parsed.push(await read(ctx, did, one))
    const keys = new Set(parsed.map(({ facts }) => facts.signatureKey))
    if (input.signaturePublicKey) keys.add(Buffer.from(input.signaturePublicKey).toString('base64'))
    const [first] = parsed
    if (!first || !did || keys.size !== 1) throw new AppError(mlsErrors.invalidKeyPackage)
    return ctx.db.transaction((tx) =>
      runIdempotent(ctx, tx, me, once, async () => {
        const stock = await openStock(ctx, tx, me, first)
        const { id: deviceId } = stock.device
        await updateDevice(tx, deviceId, {
          last_seen_at: toIso(ctx.clock.now()),
          ...(input.deviceName === undefined ? {} : { name: input.deviceName }),
          ...(input.deviceUUID === undefined ? {} : { device_uuid: input.deviceUUID }),
        })
        for (const one of parsed) await store(ctx, tx, stock, one)
        return { deviceId, mlsDid: did, autoJoinedConvos: [] }
      }),
    )
  })
  if (input.pushToken !== undefined) {
    const platform = input.platform === 'Ios' ? 'Ios' : 'Android'
    await registerPush(ctx, actor, { fcmToken: input.pushToken, platform })
  }
  return registered
}
