import { type Bytes, equal, fromHex } from '../bytes.ts'
import { type Conversation, DeliveryService, type OwnDevice } from '../delivery/delivery-service.ts'
import type { Transport } from '../delivery/transport.ts'
import { MlsError, ServiceError, SyncError, type SyncFailure } from '../errors.ts'
import { makeGroup, takeFirstPackages } from '../groups/create.ts'
import { makeExternalCommit } from '../groups/external-commit.ts'
import { Group } from '../groups/group.ts'
import type { HistoryEntry } from '../groups/history.ts'
import { joinByWelcome } from '../groups/join.ts'
import type { Place } from '../groups/place.ts'
import { changesBetween, listGroups, loadSnapshot, type Snapshot } from '../groups/record.ts'
import { SUITES, type SuiteName } from '../mls/suites.ts'
import { safetyNumber } from '../people/safety-number.ts'
import type { PersonSecret } from '../people/secret.ts'
import { SerialQueue } from '../queue.ts'
import { SealedStore } from '../stores/sealed.ts'
import type { Store } from '../stores/store.ts'
import { exportArchive, importArchive } from './archive.ts'
import { followEvents } from './follow.ts'
import { keyOf, loadIdentity } from './identity.ts'
import { ensureRegistered, keepUpKeyPackages, type UpkeepNeeds } from './upkeep.ts'

export interface DeviceOptions {
  /** The owner's DID; the server identifies them by the token. */
  readonly did: string
  /** A display name such as “laptop”, used when the device is new. Visible to the server. */
  readonly name: string
  readonly secret: PersonSecret
  /** Where the device keeps its keys; all values are sealed with the person's secret. */
  readonly store: Store
  readonly transport: Transport
  /** Called for each entry of a group's history after it is stored. */
  readonly onEntry?: (convoId: string, entry: HistoryEntry) => void
  /**
   * Whether a device of that person may join although nobody known vouches for it: that of a non-member
   * who joins by an invitation, or that of a member without the member's endorsement. By default none may.
   */
  readonly acceptJoiner?: (did: string, convoId: string) => boolean
  /** The cipher suites that the device supports; all by default. */
  readonly suites?: readonly SuiteName[]
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** How many times `learnRemovals` fetches the list while its epoch differs from the group's. */
const TRIES = 3

/** A person's device: its keys, its key packages and its groups. */
export class MlsDevice {
  readonly #place: Place
  readonly #upkeep: UpkeepNeeds
  readonly #secret: PersonSecret
  readonly #groups: Map<string, Group>
  readonly #queue = new SerialQueue()

  private constructor(place: Place, upkeep: UpkeepNeeds, secret: PersonSecret, groups: Group[]) {
    this.#place = place
    this.#upkeep = upkeep
    this.#secret = secret
    this.#groups = new Map(groups.map((group) => [group.id, group]))
  }

  /**
   * Opens the device in a store, or creates one there and registers it with the service. Then call
   * `sync`, or `follow` to stay up to date.
   */
  static async open(options: DeviceOptions): Promise<MlsDevice> {
    const store = new SealedStore(options.store, await options.secret.storeKey())
    const identity = await loadIdentity(store, options)
    const now = options.now ?? Date.now
    const service = new DeliveryService(options.transport, now)
    const upkeep = { identity, store, service, suites: options.suites ?? SUITES, now }
    const place: Place = {
      identity,
      deviceId: await ensureRegistered(upkeep),
      store,
      service,
      now,
      acceptJoiner: options.acceptJoiner ?? (() => false),
      notice: options.onEntry ?? (() => {}),
    }
    const snapshots = await Promise.all(
      (await listGroups(store)).map((convoId) => loadSnapshot(store, convoId)),
    )
    const groups = snapshots.flatMap((each) => (each ? [new Group(place, each)] : []))
    return new MlsDevice(place, upkeep, options.secret, groups)
  }

  get did(): string {
    return this.#place.identity.did
  }

  /** The device's id at the service. */
  get deviceId(): string {
    return this.#place.deviceId
  }

  /** The device's signature key in hex, which identifies it in groups. */
  get key(): string {
    return keyOf(this.#place.identity)
  }

  get suites(): readonly SuiteName[] {
    return this.#upkeep.suites
  }

  get groups(): Group[] {
    return [...this.#groups.values()]
  }

  group(convoId: string): Group | undefined {
    return this.#groups.get(convoId)
  }

  /**
   * Creates a group with these people and all of their devices, including this person's other devices.
   * The server can read `name`; to keep it secret, omit it and name the group in a message.
   */
  async createGroup({
    members,
    name,
  }: {
    members: readonly string[]
    name?: string
  }): Promise<Group> {
    const people = [...new Set([this.did, ...members])]
    const { service } = this.#place
    const { suite, packages } = await takeFirstPackages(service, people, this.#upkeep.suites)
    const group = await this.#addGroup(await makeGroup(this.#place, suite, packages, name))
    await group.sync()
    return group
  }

  /**
   * Brings everything up to date: memberships, logs, requests that a crash or a lost connection
   * interrupted, and key packages. A failure with one group does not stop the others; at the end a
   * `SyncError` lists the failures. Throws the transport's error if the list of groups cannot be fetched.
   */
  sync(): Promise<void> {
    return this.#queue.run(async () => {
      const failures: SyncFailure[] = []
      const attempt = async (convoId: string | undefined, work: () => Promise<unknown>) => {
        await work().catch((error: unknown) => failures.push({ convoId, error }))
      }
      const conversations = await this.#list(failures)
      for (const each of conversations) await attempt(each.convoId, () => this.#join(each))
      for (const group of this.#groups.values()) await attempt(group.id, () => group.sync())
      for (const each of conversations) {
        const group = this.#groups.get(each.convoId)
        if (group) await attempt(each.convoId, () => group.expectRemovals(each))
      }
      await attempt(undefined, () => keepUpKeyPackages(this.#upkeep, this.deviceId))
      if (failures.length > 0) throw new SyncError(failures)
    })
  }

  /** Fetches which leaves of a group still have to be removed and notes them for the next commit. */
  learnRemovals(convoId: string): Promise<void> {
    return this.#queue.run(async () => {
      const group = this.#groups.get(convoId)
      for (let tries = 0; group?.status === 'active' && tries < TRIES; tries += 1) {
        const all = await this.#place.service.listConversations()
        const conversation = all.find((each) => each.convoId === convoId)
        if (!conversation) return
        if (group.epoch < conversation.epoch) await group.catchUp()
        if (await group.expectRemovals(conversation)) return
      }
    })
  }

  /** Publishes key packages where they run low. */
  keepUp(): Promise<void> {
    return this.#queue.run(() => keepUpKeyPackages(this.#upkeep, this.deviceId))
  }

  /** Joins a group by the Welcome waiting for this device; undefined if there is none. */
  join(convoId: string): Promise<Group | undefined> {
    return this.#queue.run(() => this.#joinByWelcome(convoId))
  }

  /**
   * Stays up to date until the signal aborts: syncs and follows the event stream, and starts over
   * whenever the connection is lost. Errors on the way are passed to `onTrouble`.
   */
  follow(signal: AbortSignal, onTrouble: (error: unknown) => void = () => {}): Promise<void> {
    return followEvents(this, this.#place.service, signal, onTrouble)
  }

  /** This person's devices, as listed by the service. */
  devices(): Promise<OwnDevice[]> {
    return this.#place.service.listDevices()
  }

  /**
   * Removes another of this person's `devices`, for example a lost one, from all groups and from the service.
   * Throws a `SyncError` that lists the groups where this failed; there other members commit the removal.
   */
  async removeDevice({ deviceId, key }: Pick<OwnDevice, 'deviceId' | 'key'>): Promise<void> {
    if (deviceId === this.deviceId) throw new RangeError('a device removes others, not itself')
    const failures: SyncFailure[] = []
    for (const group of this.#groups.values()) {
      if (group.status !== 'active') continue
      await group
        .removeDevices([key])
        .catch((error: unknown) => failures.push({ convoId: group.id, error }))
    }
    await this.#place.service.deleteDevice(deviceId)
    if (failures.length > 0) throw new SyncError(failures)
  }

  /** Sixty digits to compare with another member over a separate channel. */
  async safetyNumber(group: Group, did: string): Promise<string> {
    const members = await group.members()
    const [own, other] = [this.did, did].map((each) => {
      const devices = members.find((member) => member.did === each)?.devices
      if (!devices) throw new MlsError('not-a-member', `${each} is not in the group.`)
      const [endorser] = devices.map(({ endorsedBy }) => endorsedBy)
      const isOne =
        endorser &&
        devices.every(({ endorsedBy }) => endorsedBy !== undefined && equal(endorser, endorsedBy))
      return { did: each, keys: isOne ? [endorser] : devices.map(({ key }) => fromHex(key)) }
    })
    if (!own || !other) throw new RangeError('two people have two fingerprints')
    return safetyNumber(own, other)
  }

  /** Everything that this device has read, sealed with the person's secret, for their other devices. */
  exportArchive(): Promise<Bytes> {
    return exportArchive(this.#place.store, this.#secret)
  }

  importArchive(archive: Uint8Array): Promise<void> {
    return importArchive(this.#place.store, this.#secret, archive)
  }

  close(): Promise<void> {
    return this.#place.store.close()
  }

  /** An error response is recorded and the sync goes on; if the service is unreachable, this throws. */
  async #list(failures: SyncFailure[]): Promise<Conversation[]> {
    try {
      return await this.#place.service.listConversations()
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      failures.push({ convoId: undefined, error })
      return []
    }
  }

  async #join({ convoId, members }: Conversation): Promise<void> {
    const known = this.#groups.get(convoId)
    if (known?.status === 'active' || !members.includes(this.did)) return
    // A member's new device joins by itself if nobody added it; a device that was removed does not.
    if ((await this.#joinByWelcome(convoId)) || known) return
    try {
      await this.#addGroup(await makeExternalCommit(this.#place, convoId, undefined))
    } catch (error) {
      // No member has published a current GroupInfo yet; the next sync tries again.
      if (!(error instanceof ServiceError && error.error === 'GroupInfoUnavailable')) throw error
    }
  }

  async #joinByWelcome(convoId: string): Promise<Group | undefined> {
    const known = this.#groups.get(convoId)
    if (known) return (await known.joinByWelcome()) ? known : undefined
    let joined: Group | undefined
    await joinByWelcome(this.#place, convoId, undefined, (snapshot) => {
      joined = this.#remember(new Group(this.#place, snapshot))
    })
    return joined
  }

  async #addGroup(snapshot: Snapshot): Promise<Group> {
    await this.#place.store.write(changesBetween(undefined, snapshot))
    return this.#remember(new Group(this.#place, snapshot))
  }

  #remember(group: Group): Group {
    this.#groups.set(group.id, group)
    return group
  }
}
