import { type ClientState, mlsExporter } from 'ts-mls'
import { type Bytes, toHex } from '../bytes.ts'
import type { Conversation } from '../delivery/delivery-service.ts'
import { keyOf } from '../device/identity.ts'
import { MlsError, ServiceError } from '../errors.ts'
import { leafAt, leavesOf } from '../mls/credential.ts'
import { suite } from '../mls/suites.ts'
import { endorserOf } from '../people/endorsement.ts'
import { SerialQueue } from '../queue.ts'
import { createUlid } from '../ulid.ts'
import { type Attachment, openAttachment, sealAttachment } from './attachments.ts'
import { isActive } from './catch-up.ts'
import { flush } from './flush.ts'
import { type Held, keep } from './held.ts'
import { type HistoryEntry, type MessageContent, readHistory } from './history.ts'
import { type HandedOut, type Intent, isCommitDue } from './intent.ts'
import { joinByWelcome } from './join.ts'
import { type Envelope, keepOutgoing, listOutgoing, sealMessage } from './outbox.ts'
import type { Place } from './place.ts'
import { follow, pursue, rejoin } from './pursue.ts'
import { changesBetween, type GroupStatus, type Snapshot } from './record.ts'
import { unknownAmong } from './vouching.ts'

/** A person in a group, and their devices there. */
export interface GroupMember {
  readonly did: string
  readonly devices: readonly {
    /** The device's signature key, hex. */
    readonly key: string
    /** The person's identity key that vouches for the device; undefined if none does. */
    readonly endorsedBy: Bytes | undefined
  }[]
}

/** An encrypted group as one device sees it. Its methods run one after another. */
export class Group {
  readonly #held: Held
  readonly #queue = new SerialQueue()
  /** Messages that the service has and the log has not brought back yet. */
  readonly #accepted = new Set<string>()
  #reported: number

  constructor(place: Place, snapshot: Snapshot) {
    this.#held = { place, snapshot }
    this.#reported = snapshot.record.cursor
  }

  get id(): string {
    return this.#record.convoId
  }

  get status(): GroupStatus {
    return this.#record.status
  }

  get suite(): string {
    return this.#record.suite
  }

  /** The MLS epoch: the number of commits so far; −1 when this device holds no keys. */
  get epoch(): number {
    return Number(this.#held.snapshot.state?.groupContext.epoch ?? -1)
  }

  /** The last entry of the log that was taken in. */
  get cursor(): number {
    return this.#record.cursor
  }

  /**
   * Sends a message; resolves to its id once the service has it. When that fails it stays in the
   * outbox, for `sync` to send, unless the service refused it.
   */
  send(content: MessageContent): Promise<string> {
    return this.#queue.run(async () => {
      // Who has left should not read on; but where that cannot be committed, people still talk.
      const trouble = await this.#settle().then(
        () => undefined,
        (error: unknown) => ({ error }),
      )
      const { place } = this.#held
      const now = place.now()
      const envelope = { id: createUlid(now), sentAt: new Date(now).toISOString(), content }
      await this.#seal(envelope)
      // The service cannot be reached, or this device cannot follow the group: the outbox keeps it.
      if (trouble && !(trouble.error instanceof ServiceError)) throw trouble.error
      await flush(this.#held, this.#accepted)
      return envelope.id
    })
  }

  /** Seals and uploads a file; send what it resolves to as one of a message's attachments. */
  async attach(
    content: Uint8Array,
    { name, mimeType }: { name?: string; mimeType?: string } = {},
  ): Promise<Attachment> {
    const { sealed, pointer } = await sealAttachment(content)
    const blob = await this.#held.place.service.uploadBlob(this.id, sealed, pointer.sha256)
    return { ...pointer, blob, ...(name ? { name } : {}), ...(mimeType ? { mimeType } : {}) }
  }

  /** The content of an attachment, checked against the message that it came with. */
  async download(attachment: Attachment): Promise<Bytes> {
    return openAttachment(
      attachment,
      await this.#held.place.service.getBlob(this.id, attachment.blob),
    )
  }

  /** What this device has read, the oldest first. */
  history(range: { after?: number; limit?: number } = {}): Promise<HistoryEntry[]> {
    return readHistory(this.#held.place.store, this.id, range)
  }

  /** Messages of this device that have not come back in the log yet, the oldest first. */
  async pending(): Promise<Envelope[]> {
    const outgoing = await listOutgoing(this.#held.place.store, this.id)
    return outgoing.map(({ id, sentAt, content }) => ({ id, sentAt, content }))
  }

  /** Adds people with all their devices. Throws `no-key-package` when somebody has none. */
  async add(dids: readonly string[]): Promise<void> {
    const { place } = this.#held
    const taken = await place.service.takeKeyPackages(dids, this.#record.suite)
    if (taken.missing.length > 0) {
      throw new MlsError('no-key-package', `No key package of ${taken.missing.join(', ')}.`)
    }
    return this.addPackages(taken.packages)
  }

  /**
   * Adds devices by their key packages. Throws `unknown-joiner`, once the others are in, for devices of
   * a member that lack the endorsement which that member's devices have.
   */
  async addPackages(packages: readonly HandedOut[]): Promise<void> {
    const own = packages.map(({ did, ref, keyPackage }) => ({ did, ref, keyPackage }))
    const unknown = await unknownAmong(this.#held.place, this.id, this.#active(), own)
    const known = own.filter((each) => !unknown.includes(each))
    if (known.length > 0) await this.#change({ type: 'add', packages: known })
    if (unknown.length === 0) return
    const dids = [...new Set(unknown.map(({ did }) => did))]
    throw new MlsError('unknown-joiner', `Nobody known vouches for a device of ${dids.join(', ')}.`)
  }

  /** Adds this person's devices that are not in the group yet. */
  addOwnDevices(): Promise<void> {
    return this.add([this.#held.place.identity.did])
  }

  /** Removes somebody with all their devices. */
  remove(did: string): Promise<void> {
    return this.#change({ type: 'remove', did })
  }

  /** Removes single devices by their signature keys; this one cannot remove itself. */
  removeDevices(keys: readonly string[]): Promise<void> {
    return this.#change({ type: 'remove-devices', keys })
  }

  /** Gives this device's leaf new keys, which shuts out whoever has stolen the old ones. */
  update(): Promise<void> {
    return this.#change({ type: 'update' })
  }

  /**
   * Takes in which leaves the service wants removed: of people who left without a word, of accounts and
   * devices that were deleted. False when the list is of another epoch, where leaves may have other
   * places.
   */
  expectRemovals(conversation: Conversation): Promise<boolean> {
    return this.#queue.run(async () => {
      const { snapshot } = this.#held
      if (!isActive(snapshot)) return true
      const { record, state } = snapshot
      if (state.groupContext.epoch !== BigInt(conversation.epoch)) return false
      // By the place alone: an account that was deleted has lost its DID.
      const named = conversation.pendingRemovals.flatMap(({ leafIndex }) => {
        const leaf = leafAt(state.ratchetTree, leafIndex)
        return leaf ? [toHex(leaf.node.signaturePublicKey)] : []
      })
      // A list that knows the whole log is right; one of before may lack who has left since.
      const isWhole = conversation.lastSeq >= record.cursor
      const leavers = isWhole ? named : [...new Set([...record.leavers, ...named])]
      if (leavers.join() === record.leavers.join()) return true
      await keep(this.#held, { ...snapshot, record: { ...record, leavers } })
      return true
    })
  }

  /** Commits what waits for a commit: the removal of those who have left. */
  settle(): Promise<void> {
    return this.#queue.run(() => this.#settle())
  }

  /** Whether something waits for a commit. */
  get isCommitDue(): boolean {
    const { snapshot } = this.#held
    return isActive(snapshot) && isCommitDue(snapshot.state, snapshot.record.leavers)
  }

  /** How many devices stand before this one when something has to be committed. */
  get turn(): number {
    const { snapshot } = this.#held
    if (!isActive(snapshot)) return 0
    const { leafIndex } = snapshot.state.privatePath
    return leavesOf(snapshot.state.ratchetTree).filter(({ index }) => index < leafIndex).length
  }

  /**
   * Leaves with all of this person's devices. Delivery to them stops at once; another member commits
   * the removal, since nobody can commit their own (RFC 9420 §12.4).
   */
  leave(): Promise<void> {
    return this.#change({ type: 'leave' })
  }

  /** Reads the log and finishes what a crash or a lost connection interrupted. */
  sync(): Promise<void> {
    return this.#queue.run(async () => {
      const { record, state } = this.#held.snapshot
      if (record.status !== 'active' && !record.attempt) return
      if (!state && !record.attempt) await rejoin(this.#held, this.id)
      await pursue(this.#held)
      if (this.status !== 'active') return
      if (await flush(this.#held, this.#accepted)) await follow(this.#held)
      await this.#report()
    })
  }

  /** Reads the log. */
  catchUp(): Promise<void> {
    return this.#queue.run(() => follow(this.#held))
  }

  /** Joins anew by an external commit, when this device's keys are in doubt. */
  resync(): Promise<void> {
    return this.#queue.run(() => rejoin(this.#held, this.id))
  }

  /** Joins again by a Welcome, if one waits that tells of a later epoch. */
  joinByWelcome(): Promise<boolean> {
    return this.#queue.run(async () => {
      const joined = await joinByWelcome(this.#held.place, this.id, this.#held.snapshot)
      if (joined) this.#held.snapshot = joined
      return joined !== undefined
    })
  }

  get snapshot(): Snapshot {
    return this.#held.snapshot
  }

  async members(): Promise<GroupMember[]> {
    const people = new Map<string, GroupMember['devices'][number][]>()
    for (const { did, node } of leavesOf(this.#active().ratchetTree)) {
      const device = { key: toHex(node.signaturePublicKey), endorsedBy: await endorserOf(node) }
      people.set(did, [...(people.get(did) ?? []), device])
    }
    return [...people].map(([did, devices]) => ({ did, devices }))
  }

  /**
   * A secret that exactly the members of this epoch share (RFC 9420 §8.5), for purposes beside the
   * messages. Equal values on two devices mean equal groups.
   */
  async exportSecret(label: string, length = 32): Promise<Bytes> {
    const { keySchedule } = this.#active()
    const cs = await suite(this.#record.suite)
    const context = new Uint8Array()
    const secret = await mlsExporter(keySchedule.exporterSecret, label, context, length, cs)
    return new Uint8Array(secret)
  }

  promoteAdmin(did: string): Promise<void> {
    return this.#held.place.service.promoteAdmin(this.id, did)
  }

  demoteAdmin(did: string): Promise<void> {
    return this.#held.place.service.demoteAdmin(this.id, did)
  }

  get #record(): Snapshot['record'] {
    return this.#held.snapshot.record
  }

  #change(intent: Intent): Promise<void> {
    return this.#queue.run(async () => {
      // What was left over from before comes first; its own caller is gone.
      await pursue(this.#held)
      this.#active()
      const { snapshot } = this.#held
      await keep(this.#held, { ...snapshot, record: { ...snapshot.record, intent } })
      await pursue(this.#held)
    })
  }

  async #settle(): Promise<void> {
    await pursue(this.#held)
    const { snapshot } = this.#held
    if (!isActive(snapshot) || !isCommitDue(snapshot.state, snapshot.record.leavers)) return
    const intent: Intent = { type: 'settle' }
    await keep(this.#held, { ...snapshot, record: { ...snapshot.record, intent } })
    await pursue(this.#held)
  }

  async #seal(envelope: Envelope): Promise<void> {
    const { place, snapshot } = this.#held
    const { after, outgoing } = await sealMessage({ ...snapshot, state: this.#active() }, envelope)
    const changes = changesBetween(snapshot, after)
    // Before anything is sent: neither the spent key nor the text can be lost now.
    await place.store.write([...changes, keepOutgoing(this.id, outgoing)])
    this.#held.snapshot = after
  }

  /** Tells the service how far this device has read, so that it keeps what is still needed. */
  async #report(): Promise<void> {
    const { place } = this.#held
    if (this.cursor === this.#reported || this.status !== 'active') return
    await place.service.updateCursor(this.id, place.deviceId, this.cursor)
    this.#reported = this.cursor
  }

  #active(): ClientState {
    const { snapshot } = this.#held
    if (isActive(snapshot)) return snapshot.state
    throw new MlsError('not-a-member', `This device, ${keyOf(this.#held.place.identity)}, is out.`)
  }
}
