import {
  type DeviceOptions,
  HttpTransport,
  MemoryStore,
  MlsDevice,
  PersonSecret,
} from '../../client/index.ts'
import type { Appliance } from './boot.ts'
import { didOf } from './mls-people.ts'
import type { Person } from './people.ts'

export function mlsTransport(appliance: Appliance, person: Person): HttpTransport {
  return new HttpTransport({ service: appliance.url, token: () => person.accessToken })
}

/** Creates a device with real keys that talks to the appliance over HTTP. */
export function mlsDevice(
  appliance: Appliance,
  person: Person,
  options: Partial<DeviceOptions> = {},
): Promise<MlsDevice> {
  return MlsDevice.open({
    did: didOf(appliance, person),
    name: `${person.name}’s device`,
    secret: PersonSecret.create(),
    store: new MemoryStore(),
    transport: mlsTransport(appliance, person),
    ...options,
  })
}
