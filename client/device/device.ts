import { type Bytes, equal, fromHex } from '../bytes.ts'
import { type Conversation, DeliveryService } from '../delivery/delivery-service.ts'
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
  /** Whose device it is; the server knows the person by the token. */
  readonly did: string
  /** How the person calls it, for a new one: “laptop”. The server sees it. */
  readonly name: string
  readonly secret: PersonSecret
  /** Where it keeps its keys; everything in it is sealed with the person's secret. */
  readonly store: Store
  readonly transport: Transport
  /** Told of each entry of a group's history, once it is stored. */
  readonly onEntry?: (convoId: string, entry: HistoryEntry) => void
  /**
   * Whether a device of that person may come in although nobody known vouches for it: of somebody who
   * is no member and comes by an invitation, or of a member without the member's endorsement. None
   * by default.
   */
  readonly acceptJoiner?: (did: string, convoId: string) => boolean
  /** The suites it speaks; all by default. */
  readonly suites?: readonly SuiteName[]
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** Lists that may be older than the group's state before one is waited for no longer. */
const TRIES = 3

/** A device of a person: its keys, its key packages and its groups. */
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
   * Opens the device of a store, or makes a new one there, which the service is told of. Then call
   * `sync`, or `follow` for good.
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

  /** The name by which the service knows the device. */
  get deviceId(): string {
    return this.#place.deviceId
  }

  /** The device's signature key, hex: the name by which groups know it. */
  get key(): string {
    return keyOf(this.#place.identity)
  }

  /** The suites that it speaks. */
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
   * Makes a group with these people and all devices of everybody, this person's others included.
   * `name` is for the server to see; leave it out and name the group in a message.
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
   * Brings everything up to date: groups that were joined, left or missed, their logs, what a crash
   * or a lost connection interrupted, and the key packages. Whatever goes wrong with one group is no
   * reason to stop: all the rest is done, and then a `SyncError` names what was not. Throws the
   * transport's error when the service cannot be reached at all.
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

  /** Asks which leaves of a group wait for their removal, and takes it in for the next commit. */
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

  /** Joins a group by the Welcome that waits for this device, if one does. */
  join(convoId: string): Promise<Group | undefined> {
    return this.#queue.run(() => this.#joinByWelcome(convoId))
  }

  /**
   * Stays up to date until the signal: syncs, then follows the event stream, and again whenever the
   * connection is lost. `onTrouble` hears of what went wrong on the way.
   */
  follow(signal: AbortSignal, onTrouble: (error: unknown) => void = () => {}): Promise<void> {
    return followEvents(this, this.#place.service, signal, onTrouble)
  }

  /** This person's devices, as the service lists them. */
  devices(): Promise<{ deviceId: string; name: string; key: Bytes | undefined }[]> {
    return this.#place.service.listDevices()
  }

  /**
   * Removes another device of this person, lost or sold, from all groups and from the service. A group
   * in which that fails is named by a `SyncError`; there the others see that the removal is due.
   */
  async removeDevice({ deviceId, key }: { deviceId: string; key: string }): Promise<void> {
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

  /** Sixty digits to compare with somebody of this group over another channel. */
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

  /** All that this device has read, sealed with the person's secret, for another device of theirs. */
  exportArchive(): Promise<Bytes> {
    return exportArchive(this.#place.store, this.#secret)
  }

  importArchive(archive: Uint8Array): Promise<void> {
    return importArchive(this.#place.store, this.#secret, archive)
  }

  close(): Promise<void> {
    return this.#place.store.close()
  }

  /** A service that refuses the list has still more to say; one that cannot be reached has not. */
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
    // A new device of a member comes in by itself when nobody has added it; one that was removed does not.
    if ((await this.#joinByWelcome(convoId)) || known) return
    try {
      await this.#addGroup(await makeExternalCommit(this.#place, convoId, undefined))
    } catch (error) {
      // Nobody has left a GroupInfo yet; the next sync tries again.
      if (!(error instanceof ServiceError && error.error === 'GroupInfoUnavailable')) throw error
    }
  }

  async #joinByWelcome(convoId: string): Promise<Group | undefined> {
    const known = this.#groups.get(convoId)
    if (known) return (await known.joinByWelcome()) ? known : undefined
    const joined = await joinByWelcome(this.#place, convoId, undefined)
    return joined && this.#remember(new Group(this.#place, joined))
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
