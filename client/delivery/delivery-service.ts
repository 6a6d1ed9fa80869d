import { type Bytes, fromBase64, toBase64 } from '../bytes.ts'
import { ServiceError } from '../errors.ts'
import type { HandedOut } from '../groups/intent.ts'
import type { SuiteName } from '../mls/suites.ts'
import type { Json, JsonObject, Params, StreamEvent, Transport } from './transport.ts'

const NAMESPACE = 'blue.catbird.mls'
/** Items per page; the service returns no more. */
const PAGE = 100
/** The most people whose key packages one request may ask for. */
const MAX_PEOPLE = 100

/** An entry of a group's log; `seq` is the order in which the service stored it. */
export interface LogEntry {
  readonly seq: number
  readonly type: 'app' | 'commit' | 'proposal'
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
    return String(answer.deviceId)
  }

  /** Returns how many packages the service accepted. */
  async publishKeyPackages(
    packages: readonly PublishedKeyPackage[],
    idempotencyKey: string,
  ): Promise<number> {
    const keyPackages = packages.map(toItem)
    const answer = await this.#call('publishKeyPackages', { keyPackages, idempotencyKey })
    return Number(answer.succeeded)
  }

  async countKeyPackages(
    deviceId: string,
    suite: SuiteName,
  ): Promise<{ available: number; hasLastResort: boolean }> {
    const answer = await this.#ask('getKeyPackageStats', { deviceId, cipherSuite: suite })
    return { available: Number(answer.available), hasLastResort: answer.hasLastResort === true }
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
      packages.push(...listOf(answer.keyPackages).map(toHandedOut))
      missing.push(...textsOf(answer.missing))
    }
    return { packages, missing }
  }

  async listDevices(): Promise<{ deviceId: string; name: string; key: Bytes | undefined }[]> {
    const answer = await this.#ask('listDevices', {})
    return listOf(answer.devices).map((device) => ({
      deviceId: String(device.deviceId),
      name: String(device.deviceName ?? ''),
      key: device.signaturePublicKey ? bytesOf(device.signaturePublicKey) : undefined,
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
      found.push(...listOf(answer.conversations).map(toConversation))
      cursor = typeof answer.cursor === 'string' ? answer.cursor : undefined
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
    return Number((await this.#call('processExternalCommit', body)).seq)
  }

  async getGroupInfo(convoId: string): Promise<Bytes> {
    const answer = await this.#ask('getGroupInfo', { convoId })
    return fromBase64(String(answer.groupInfo))
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

  async getLog(convoId: string, sinceSeq: number): Promise<LogPage> {
    const answer = await this.#ask('getMessages', { convoId, sinceSeq, limit: PAGE })
    const entries = listOf(answer.messages).map(
      (message): LogEntry => ({
        seq: Number(message.seq),
        type: message.messageType as LogEntry['type'],
        bytes: bytesOf(message.ciphertext),
      }),
    )
    return {
      entries,
      hasMore: answer.hasMore === true,
      currentEpoch: Number(answer.currentEpoch),
    }
  }

  async updateCursor(convoId: string, deviceId: string, cursor: number): Promise<void> {
    await this.#call('updateCursor', { convoId, deviceId, cursor: String(cursor) })
  }

  async getWelcome(convoId: string, deviceId: string): Promise<WaitingWelcome> {
    const answer = await this.#ask('getWelcome', { convoId, deviceId })
    return {
      welcome: fromBase64(String(answer.welcome)),
      ref: String(answer.keyPackageHash),
      joinedSeq: Number(answer.joinedSeq),
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
    return String(answer.cid)
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
    did: String(view.did),
    ref: String(view.keyPackageHash),
    keyPackage: String(view.keyPackage),
    deviceId: String(view.deviceId),
  }
}

function toConversation(view: JsonObject): Conversation {
  const members = listOf(view.members)
  return {
    convoId: String(view.groupId),
    suite: String(view.cipherSuite),
    epoch: Number(view.epoch),
    lastSeq: Number(view.lastSeq ?? 0),
    members: members.map(({ did }) => String(did)),
    admins: members.filter(({ isAdmin }) => isAdmin === true).map(({ did }) => String(did)),
    pendingRemovals: listOf(view.pendingRemovals).map(({ leafIndex }) => ({
      leafIndex: Number(leafIndex),
    })),
  }
}

function listOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? (value as JsonObject[]) : []
}

function textsOf(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

/** ATProto's JSON encoding of bytes: an object with base64 under `$bytes`. */
function bytesOf(value: Json | undefined): Bytes {
  return fromBase64(String((value as JsonObject | undefined)?.$bytes ?? ''))
}
