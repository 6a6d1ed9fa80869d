import { fromUtf8, utf8 } from '../bytes.ts'
import type { DeliveryService, PublishedKeyPackage } from '../delivery/delivery-service.ts'
import { ServiceError } from '../errors.ts'
import type { SuiteName } from '../mls/suites.ts'
import type { Store } from '../stores/store.ts'
import { createUlid } from '../ulid.ts'
import type { DeviceIdentity } from './identity.ts'
import {
  createKeyPackage,
  forgetKeyPackage,
  isOutlived,
  keepKeyPackage,
  listKeyPackages,
  type OwnKeyPackage,
  toPublished,
} from './key-packages.ts'

/** If fewer packages than this are left, more are published … */
const LOW = 5
/** … until there are this many. */
const STOCK = 20
/** Seconds before its expiry at which a last-resort package is replaced: two weeks. */
const RENEWAL = 14 * 24 * 3600

export interface UpkeepNeeds {
  readonly identity: DeviceIdentity
  readonly store: Store
  readonly service: DeliveryService
  /** The suites that the device supports. */
  readonly suites: readonly SuiteName[]
  readonly now: () => number
}

const PLACE = 'registration'

/**
 * Returns the device's id at the service. Registers the device if it has none, with the first key
 * packages of each suite, including a last resort. Private keys are stored before anybody can use them, and
 * those stored by an earlier try are offered again: the service may have taken them.
 */
export async function ensureRegistered(needs: UpkeepNeeds): Promise<string> {
  const known = await needs.store.read(PLACE)
  if (known) return fromUtf8(known)
  const stored = await listKeyPackages(needs.store, needs.identity)
  const earlier = stored.filter(({ notAfter }) => notAfter > needs.now() / 1000)
  const wanted = needs.suites.map((suite) => ({ suite, count: STOCK, lastResort: true }))
  const fresh = earlier.length > 0 ? [] : await createStock(needs, wanted)
  const deviceId = await offer(needs, { fresh, earlier }, (packages) =>
    needs.service.registerDevice(needs.identity.name, packages, createUlid(needs.now())),
  )
  await needs.store.write([[PLACE, utf8(deviceId)]])
  return deviceId
}

/**
 * Publishes key packages where they run low, renews a last resort that is about to expire, and deletes
 * private keys for which no Welcome can arrive any more.
 */
export async function keepUpKeyPackages(needs: UpkeepNeeds, deviceId: string): Promise<void> {
  const own = await listKeyPackages(needs.store, needs.identity)
  const outlived = own.filter((each) => isOutlived(each, needs.now()))
  if (outlived.length > 0) {
    await needs.store.write(outlived.map(forgetKeyPackage))
  }
  const wanted = await Promise.all(
    needs.suites.map(async (suite) => {
      const { available, hasLastResort } = await needs.service.countKeyPackages(deviceId, suite)
      const isLasting = own.some(
        (each) =>
          each.suite === suite && each.lastResort && each.notAfter - RENEWAL > needs.now() / 1000,
      )
      const count = available < LOW ? STOCK - available : 0
      return { suite, count, lastResort: !hasLastResort || !isLasting }
    }),
  )
  const fresh = await createStock(needs, wanted)
  if (fresh.length === 0) return
  await offer(needs, { fresh, earlier: [] }, (packages) =>
    needs.service.publishKeyPackages(packages, createUlid(needs.now())),
  )
}

/**
 * Publishes packages, and deletes those again that the service rejects. Packages of an `earlier` try may be in
 * use already, unless the service finds fault with what they contain (400).
 */
async function offer<T>(
  { store }: UpkeepNeeds,
  { fresh, earlier }: Record<'fresh' | 'earlier', readonly OwnKeyPackage[]>,
  publish: (packages: readonly PublishedKeyPackage[]) => Promise<T>,
): Promise<T> {
  const offered = [...earlier, ...fresh]
  try {
    return await publish(offered.map(toPublished))
  } catch (error) {
    // After any other error the service may have stored them, and others may use them.
    const isRefused =
      error instanceof ServiceError &&
      error.status >= 400 &&
      error.status < 500 &&
      error.status !== 408
    if (isRefused) await store.write((error.status === 400 ? offered : fresh).map(forgetKeyPackage))
    throw error
  }
}

async function createStock(
  needs: UpkeepNeeds,
  wanted: readonly { suite: SuiteName; count: number; lastResort: boolean }[],
): Promise<OwnKeyPackage[]> {
  const fresh: OwnKeyPackage[] = []
  for (const { suite, count, lastResort } of wanted) {
    for (let made = 0; made < count; made += 1) {
      fresh.push(await createKeyPackage(needs.identity, suite, needs.now()))
    }
    if (lastResort) fresh.push(await createKeyPackage(needs.identity, suite, needs.now(), true))
  }
  if (fresh.length > 0) await needs.store.write(fresh.map(keepKeyPackage))
  return fresh
}
