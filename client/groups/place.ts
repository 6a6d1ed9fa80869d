import type { DeliveryService } from '../delivery/delivery-service.ts'
import type { DeviceIdentity } from '../device/identity.ts'
import type { Store } from '../stores/store.ts'
import type { HistoryEntry } from './history.ts'

/** The dependencies that all groups of a device share. */
export interface Place {
  readonly identity: DeviceIdentity
  /** The device's id at the service. */
  readonly deviceId: string
  readonly store: Store
  readonly service: DeliveryService
  readonly now: () => number
  /** Whether a device of that person may join although nobody known vouches for it. */
  readonly acceptJoiner: (did: string, convoId: string) => boolean
  /** Called with each entry after it is stored. */
  readonly notice: (convoId: string, entry: HistoryEntry) => void
}
