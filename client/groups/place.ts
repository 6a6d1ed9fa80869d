import type { DeliveryService } from '../delivery/delivery-service.ts'
import type { DeviceIdentity } from '../device/identity.ts'
import type { Store } from '../stores/store.ts'
import type { HistoryEntry } from './history.ts'

/** What a group of this device works with. */
export interface Place {
  readonly identity: DeviceIdentity
  /** The device's name at the service. */
  readonly deviceId: string
  readonly store: Store
  readonly service: DeliveryService
  readonly now: () => number
  /** Whether a device of that person may come in although nobody known vouches for it. */
  readonly acceptJoiner: (did: string, convoId: string) => boolean
  /** Told of each entry once it is stored. */
  readonly notice: (convoId: string, entry: HistoryEntry) => void
}
