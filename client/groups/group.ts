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

/** A person in a group, with their devices there. */
export interface GroupMember {
  readonly did: string
  readonly devices: readonly {
    /** The device's signature key, hex. */
    readonly key: string
    /** The identity key that endorses the device; undefined if there is no valid endorsement. */
    readonly endorsedBy: Bytes | undefined
  }[]
}

/** An encrypted group as one device sees it. Operations that change its state run one at a time. */
export class Group {
  readonly #held: Held
  readonly #queue = new SerialQueue()
  /** Ids of messages that the service has accepted and that have not come back in the log yet. */
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

  /** The MLS epoch: the number of commits so far; −1 if this device holds no keys. */
  get epoch(): number {
    return Number(this.#held.snapshot.state?.groupContext.epoch ?? -1)
  }

  /** The sequence number of the last log entry that was read. */
  get cursor(): number {
    return this.#record.cursor
  }

  /**
   * Sends a message; resolves to its id once the service has it. If that fails, the message stays in the
   * outbox for `sync` to send, unless the service rejected it.
   */
  send(content: MessageContent): Promise<string> {
    return this.#queue.run(async () => {
      // Former members should not read the message; but if their removal fails, it is sent nevertheless.
      const trouble = await this.#settle().then(
        () => undefined,
        (error: unknown) => ({ error }),
      )
      const { place } = this.#held
      const now = place.now()
      const envelope = { id: createUlid(now), sentAt: new Date(now).toISOString(), content }
      await this.#seal(envelope)
      // The service is unreachable, or this device cannot follow the group: the outbox keeps the message.
      if (trouble && !(trouble.error instanceof ServiceError)) throw trouble.error
      await flush(this.#held, this.#accepted)
      return envelope.id
    })
  }

  /** Encrypts and uploads a file; the result can be sent in a message's `attachments`. */
  async attach(
    content: Uint8Array,
    { name, mimeType }: { name?: string; mimeType?: string } = {},
  ): Promise<Attachment> {
    const { sealed, pointer } = await sealAttachment(content)
    const blob = await this.#held.place.service.uploadBlob(this.id, sealed, pointer.sha256)
    return { ...pointer, blob, ...(name ? { name } : {}), ...(mimeType ? { mimeType } : {}) }
  }

  /** Downloads an attachment; throws `unreadable` if it does not match its message. */
  async download(attachment: Attachment): Promise<Bytes> {
    return openAttachment(
      attachment,
      await this.#held.place.service.getBlob(this.id, attachment.blob),
    )
  }

  /** What this device has read, oldest first. */
  history(range: { after?: number; limit?: number } = {}): Promise<HistoryEntry[]> {
    return readHistory(this.#held.place.store, this.id, range)
  }

  /** This device's messages that have not come back in the log yet, oldest first. */
  async pending(): Promise<Envelope[]> {
    const outgoing = await listOutgoing(this.#held.place.store, this.id)
    return outgoing.map(({ id, sentAt, content }) => ({ id, sentAt, content }))
  }

  /** Adds people with all their devices. Throws `no-key-package` if a person has none. */
  async add(dids: readonly string[]): Promise<void> {
    const { place } = this.#held
    const taken = await place.service.takeKeyPackages(dids, this.#record.suite)
    if (taken.missing.length > 0) {
      throw new MlsError('no-key-package', `No key package of ${taken.missing.join(', ')}.`)
    }
    return this.addPackages(taken.packages)
  }

  /**
   * Adds devices by their key packages. A member's device that lacks the endorsement of that member's
   * other devices is left out: after adding the rest, this throws `unknown-joiner`.
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

  /** Removes a person with all their devices. */
  remove(did: string): Promise<void> {
    return this.#change({ type: 'remove', did })
  }

  /** Removes single devices by their signature keys (hex); a device cannot remove itself. */
  removeDevices(keys: readonly string[]): Promise<void> {
    return this.#change({ type: 'remove-devices', keys })
  }

  /** Replaces the keys of this device's leaf, which locks out anyone who has stolen the old ones. */
  update(): Promise<void> {
    return this.#change({ type: 'update' })
  }

  /**
   * Notes which leaves the service wants removed: those of people who left without a proposal and of
   * deleted accounts and devices. Returns false if the list is of another epoch, with other leaf indices.
   */
  expectRemovals(conversation: Conversation): Promise<boolean> {
    return this.#queue.run(async () => {
      const { snapshot } = this.#held
      if (!isActive(snapshot)) return true
      const { record, state } = snapshot
      if (state.groupContext.epoch !== BigInt(conversation.epoch)) return false
      // Identified by index alone, because a deleted account has lost its DID.
      const named = conversation.pendingRemovals.flatMap(({ leafIndex }) => {
        const leaf = leafAt(state.ratchetTree, leafIndex)
        return leaf ? [toHex(leaf.node.signaturePublicKey)] : []
      })
      // A list as new as the log is complete; an older one may lack people who have left since.
      const isWhole = conversation.lastSeq >= record.cursor
      const leavers = isWhole ? named : [...new Set([...record.leavers, ...named])]
      if (leavers.join() === record.leavers.join()) return true
      await keep(this.#held, { ...snapshot, record: { ...record, leavers } })
      return true
    })
  }

  /** Commits what is due: others' proposals, and the removal of devices whose owner has left. */
  settle(): Promise<void> {
    return this.#queue.run(() => this.#settle())
  }

  /** Whether `settle` has something to commit. */
  get isCommitDue(): boolean {
    const { snapshot } = this.#held
    return isActive(snapshot) && isCommitDue(snapshot.state, snapshot.record.leavers)
  }

  /** This device's position among those that may make a due commit: the number of leaves before its own. */
  get turn(): number {
    const { snapshot } = this.#held
    if (!isActive(snapshot)) return 0
    const { leafIndex } = snapshot.state.privatePath
    return leavesOf(snapshot.state.ratchetTree).filter(({ index }) => index < leafIndex).length
  }

  /**
   * Leaves the group with all of this person's devices. Delivery to them stops at once; another member
   * commits the removal, because nobody can commit their own (RFC 9420 §12.4).
   */
  leave(): Promise<void> {
    return this.#change({ type: 'leave' })
  }

  /** Reads the log and completes what a crash or a lost connection interrupted. */
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

  /** Reads the log after the cursor; rejoins if the device is out of step. */
  catchUp(): Promise<void> {
    return this.#queue.run(() => follow(this.#held))
  }

  /** Joins again by a Welcome or an external commit, for example if this device's keys are in doubt. */
  resync(): Promise<void> {
    return this.#queue.run(() => rejoin(this.#held, this.id))
  }

  /** Joins again by a Welcome if one of a later epoch is waiting; resolves to whether it did. */
  joinByWelcome(): Promise<boolean> {
    return this.#queue.run(() =>
      joinByWelcome(this.#held.place, this.id, this.#held.snapshot, (snapshot) => {
        this.#held.snapshot = snapshot
      }),
    )
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
   * A secret that only the members of this epoch share (RFC 9420 §8.5), for purposes other than messages.
   * Equal values on two devices mean that they agree on the group's state.
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
      // First finish an interrupted earlier change, whose caller is gone.
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
    // Stored before anything is sent, so that neither the spent key nor the text can be lost.
    await place.store.write([...changes, keepOutgoing(this.id, outgoing)])
    this.#held.snapshot = after
  }

  /** Reports how far this device has read, so that the service keeps the entries it still needs. */
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
