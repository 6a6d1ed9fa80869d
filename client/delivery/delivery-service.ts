import { type Bytes, fromBase64, toBase64, toHex } from '../bytes.ts'
import { ServiceError } from '../errors.ts'
import type { HandedOut } from '../groups/intent.ts'
import type { SuiteName } from '../mls/suites.ts'
import { bytesIn, countIn, objectsIn, textIn, textsIn } from './answer-fields.ts'
import type { JsonObject, Params, StreamEvent, Transport } from './transport.ts'

const NAMESPACE = 'blue.catbird.mls'
/** Items per page; the service returns no more. */
const PAGE = 100
/** The most people whose key packages one request may ask for. */
const MAX_PEOPLE = 100

/** An entry of a group's log; `seq` is the order in which the service stored it. */
export interface LogEntry {
  readonly seq: number
  /** The encoded MLSMessage. */
  readonly bytes: Bytes
}

export interface LogPage {
  readonly entries: readonly LogEntry[]
  readonly hasMore: boolean
  readonly currentEpoch: number
}

export interface Conversation {
  readonly convoId: string
  readonly suite: string
  readonly epoch: number
  /** The sequence number of the last log entry. */
  readonly lastSeq: number
  readonly members: readonly string[]
  readonly admins: readonly string[]
  /** Leaves in `epoch` that still have to be removed: those of former members and of deleted devices. */
  readonly pendingRemovals: readonly { readonly leafIndex: number }[]
}

/** One of the person's devices, as the service lists it. */
export interface OwnDevice {
  readonly deviceId: string
  /** Empty if it has none. */
  readonly name: string
  /** The device's signature key, hex. */
  readonly key: string
}

export interface PublishedKeyPackage {
  readonly suite: SuiteName
  readonly keyPackage: Bytes
  /** Milliseconds since 1970. */
  readonly expires: number
  readonly lastResort: boolean
}

export interface WaitingWelcome {
  readonly welcome: Bytes
  readonly ref: string
  /** The sequence number at which this device's membership begins. */
  readonly joinedSeq: number
}

/** A method that the service has rate-limited. */
interface HeldOff {
  /** Milliseconds since 1970. */
  readonly until: number
  readonly error: ServiceError
}

/**
 * The delivery service's methods, as far as this library uses them; the lexicons document them. After a
 * response with `Retry-After`, calls of that method fail here, without a request, until it has passed.
 */
export class DeliveryService {
  readonly #transport: Transport
  readonly #now: () => number
  readonly #heldOff = new Map<string, HeldOff>()

  constructor(transport: Transport, now: () => number = Date.now) {
    this.#transport = transport
    this.#now = now
  }

  async registerDevice(
    name: string,
    packages: readonly PublishedKeyPackage[],
    idempotencyKey: string,
  ): Promise<string> {
    const answer = await this.#call('registerDevice', {
      deviceName: name,
      keyPackages: packages.map(toItem),
      idempotencyKey,
    })
    return textIn(answer, 'deviceId')
  }

  async publishKeyPackages(
    packages: readonly PublishedKeyPackage[],
    idempotencyKey: string,
  ): Promise<void> {
    const keyPackages = packages.map(toItem)
    await this.#call('publishKeyPackages', { keyPackages, idempotencyKey })
  }

  async countKeyPackages(
    deviceId: string,
    suite: SuiteName,
  ): Promise<{ available: number; hasLastResort: boolean }> {
    const answer = await this.#ask('getKeyPackageStats', { deviceId, cipherSuite: suite })
    return {
      available: countIn(answer, 'available'),
      hasLastResort: answer.hasLastResort === true,
    }
  }

  /** Takes one package of each device of these people; `missing` lists the people who have none. */
  async takeKeyPackages(
    dids: readonly string[],
    suite: SuiteName,
  ): Promise<{ packages: (HandedOut & { deviceId: string })[]; missing: string[] }> {
    const packages: (HandedOut & { deviceId: string })[] = []
    const missing: string[] = []
    for (let at = 0; at < dids.length; at += MAX_PEOPLE) {
      const some = dids.slice(at, at + MAX_PEOPLE)
      const answer = await this.#ask('getKeyPackages', { dids: some, cipherSuite: suite })
      packages.push(...objectsIn(answer, 'keyPackages').map(toHandedOut))
      missing.push(...textsIn(answer, 'missing'))
    }
    return { packages, missing }
  }

  async listDevices(): Promise<OwnDevice[]> {
    const answer = await this.#ask('listDevices', {})
    return objectsIn(answer, 'devices').map((device) => ({
      deviceId: textIn(device, 'deviceId'),
      name: device.deviceName === undefined ? '' : textIn(device, 'deviceName'),
      key: toHex(bytesIn(device, 'signaturePublicKey')),
    }))
  }

  async deleteDevice(deviceId: string): Promise<void> {
    await this.#call('deleteDevice', { deviceId })
  }

  /** All of the person's conversations, including those this device does not know. */
  async listConversations(): Promise<Conversation[]> {
    const found: Conversation[] = []
    let cursor: string | undefined
    do {
      const answer = await this.#ask('getConvos', { limit: PAGE, cursor })
      found.push(...objectsIn(answer, 'conversations').map(toConversation))
      const next = answer.cursor === undefined ? undefined : textIn(answer, 'cursor')
      if (next !== undefined && next === cursor) {
        throw new TypeError('The service’s list runs in circles.')
      }
      cursor = next
    } while (cursor !== undefined)
    return found
  }

  async createConversation(request: {
    convoId: string
    suite: SuiteName
    groupInfo: string
    name: string | undefined
    idempotencyKey: string
  }): Promise<void> {
    await this.#call('createConvo', {
      groupId: request.convoId,
      cipherSuite: request.suite,
      currentEpoch: 0,
      groupInfo: request.groupInfo,
      idempotencyKey: request.idempotencyKey,
      ...(request.name === undefined ? {} : { metadata: { name: request.name } }),
    })
  }

  /** Sends a member's commit. The service checks the named people against those it adds or removes. */
  async commit(request: {
    convoId: string
    commit: string
    welcome: string | undefined
    welcomed: readonly Pick<HandedOut, 'did' | 'ref'>[]
    removedDid: string | undefined
    groupInfo: string
    idempotencyKey: string
  }): Promise<void> {
    const { convoId, commit, groupInfo, idempotencyKey, removedDid, welcomed } = request
    const common = { convoId, commit, groupInfo, idempotencyKey }
    if (removedDid !== undefined) {
      await this.#call('removeMember', { ...common, targetDid: removedDid })
      return
    }
    const didList = [...new Set(welcomed.map(({ did }) => did))]
    const keyPackageHashes = welcomed.map(({ did, ref }) => ({ did, hash: ref }))
    const welcome = request.welcome && { welcomeMessage: request.welcome, keyPackageHashes }
    await this.#call('addMembers', { ...common, didList, ...welcome })
  }

  /** Returns the commit's sequence number in the log. */
  async commitExternally(request: {
    convoId: string
    commit: string
    groupInfo: string
    idempotencyKey: string
  }): Promise<number> {
    const { convoId, commit: externalCommit, groupInfo, idempotencyKey } = request
    const body = { convoId, externalCommit, groupInfo, idempotencyKey }
    return countIn(await this.#call('processExternalCommit', body), 'seq')
  }

  async getGroupInfo(convoId: string): Promise<Bytes> {
    const answer = await this.#ask('getGroupInfo', { convoId })
    return fromBase64(textIn(answer, 'groupInfo'))
  }

  async leave(request: {
    convoId: string
    proposals: readonly string[]
    idempotencyKey: string
  }): Promise<void> {
    const { convoId, proposals, idempotencyKey } = request
    await this.#call('leaveConvo', { convoId, proposals: [...proposals], idempotencyKey })
  }

  async sendMessage(request: {
    convoId: string
    msgId: string
    ciphertext: Bytes
    epoch: number
  }): Promise<void> {
    const { ciphertext, ...rest } = request
    await this.#call('sendMessage', {
      ...rest,
      ciphertext: { $bytes: toBase64(ciphertext) },
      paddedSize: ciphertext.length,
    })
  }

  /** A page of the log after `sinceSeq`. Throws a `TypeError` unless its entries follow in order. */
  async getLog(convoId: string, sinceSeq: number): Promise<LogPage> {
    const answer = await this.#ask('getMessages', { convoId, sinceSeq, limit: PAGE })
    const entries = objectsIn(answer, 'messages').map(
      (message): LogEntry => ({
        seq: countIn(message, 'seq'),
        bytes: bytesIn(message, 'ciphertext'),
      }),
    )
    const hasMore = answer.hasMore === true
    const isInOrder = entries.every(({ seq }, at) => seq > (entries[at - 1]?.seq ?? sinceSeq))
    // What was read before must not be read again, nor the same page for ever.
    if (!isInOrder || (hasMore && entries.length === 0)) {
      throw new TypeError('The service’s log runs in circles.')
    }
    return { entries, hasMore, currentEpoch: countIn(answer, 'currentEpoch') }
  }

  async updateCursor(convoId: string, deviceId: string, cursor: number): Promise<void> {
    await this.#call('updateCursor', { convoId, deviceId, cursor: String(cursor) })
  }

  async getWelcome(convoId: string, deviceId: string): Promise<WaitingWelcome> {
    const answer = await this.#ask('getWelcome', { convoId, deviceId })
    return {
      welcome: fromBase64(textIn(answer, 'welcome')),
      ref: textIn(answer, 'keyPackageHash'),
      joinedSeq: countIn(answer, 'joinedSeq'),
    }
  }

  async confirmWelcome(convoId: string, ref: string, success: boolean): Promise<void> {
    await this.#call('confirmWelcome', { convoId, keyPackageHash: ref, success })
  }

  async promoteAdmin(convoId: string, targetDid: string): Promise<void> {
    await this.#call('promoteAdmin', { convoId, targetDid })
  }

  async demoteAdmin(convoId: string, targetDid: string): Promise<void> {
    await this.#call('demoteAdmin', { convoId, targetDid })
  }

  /** Returns the blob's name. */
  async uploadBlob(convoId: string, sealed: Bytes, sha256: string): Promise<string> {
    const answer = await this.#guard('uploadBlob', (nsid) =>
      this.#transport.upload(nsid, { convoId, sha256 }, sealed),
    )
    return textIn(answer, 'cid')
  }

  getBlob(convoId: string, cid: string): Promise<Bytes> {
    return this.#guard('getBlob', (nsid) => this.#transport.download(nsid, { convoId, cid }))
  }

  /** The events of the person's conversations, from the cursor on; without a cursor, from now on. */
  events(
    cursor: string | undefined,
    signal: AbortSignal,
    opened: () => void,
  ): AsyncIterable<StreamEvent> {
    return this.#transport.events(`${NAMESPACE}.subscribeConvoEvents`, { cursor }, signal, opened)
  }

  #ask(method: string, params: Params): Promise<JsonObject> {
    return this.#guard(method, (nsid) => this.#transport.query(nsid, params))
  }

  #call(method: string, body: JsonObject): Promise<JsonObject> {
    return this.#guard(method, (nsid) => this.#transport.procedure(nsid, body))
  }

  async #guard<T>(method: string, send: (nsid: string) => Promise<T>): Promise<T> {
    const held = this.#heldOff.get(method)
    const wait = held ? held.until - this.#now() : 0
    if (held && wait > 0) throw new ServiceError(held.error.status, held.error.body, wait)
    this.#heldOff.delete(method)
    try {
      return await send(`${NAMESPACE}.${method}`)
    } catch (error) {
      if (error instanceof ServiceError && error.retryAfterMs !== undefined) {
        this.#heldOff.set(method, { until: this.#now() + error.retryAfterMs, error })
      }
      throw error
    }
  }
}

function toItem({ suite, keyPackage, expires, lastResort }: PublishedKeyPackage): JsonObject {
  return {
    keyPackage: toBase64(keyPackage),
    cipherSuite: suite,
    expires: new Date(expires).toISOString(),
    ...(lastResort ? { lastResort } : {}),
  }
}

function toHandedOut(view: JsonObject): HandedOut & { deviceId: string } {
  return {
    did: textIn(view, 'did'),
    ref: textIn(view, 'keyPackageHash'),
    keyPackage: textIn(view, 'keyPackage'),
    deviceId: textIn(view, 'deviceId'),
  }
}

function toConversation(view: JsonObject): Conversation {
  const members = objectsIn(view, 'members')
  // The list is missing where nothing is due.
  const due = view.pendingRemovals === undefined ? [] : objectsIn(view, 'pendingRemovals')
  return {
    convoId: textIn(view, 'groupId'),
    suite: textIn(view, 'cipherSuite'),
    epoch: countIn(view, 'epoch'),
    lastSeq: countIn(view, 'lastSeq'),
    members: members.map((member) => textIn(member, 'did')),
    admins: members.filter(({ isAdmin }) => isAdmin === true).map((one) => textIn(one, 'did')),
    pendingRemovals: due.map((leaf) => ({ leafIndex: countIn(leaf, 'leafIndex') })),
  }
}
