import type { Appliance } from './boot.ts'
import { MlsDevice } from './mls.ts'
import type { Person } from './people.ts'

/** The DID of a local account. */
export function didOf({ config }: Appliance, { name }: Pick<Person, 'name'>): string {
  return config.atproto.localDidPrefix + name
}

/** Creates a device with published key packages. */
export function deviceOf(mimir: Appliance, person: Person, count = 2): Promise<MlsDevice> {
  const now = () => mimir.clock.now() / 1000
  return MlsDevice.create(person.rest, didOf(mimir, person), now, { count })
}
