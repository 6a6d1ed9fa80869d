import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import {
  acceptAll,
  type CiphersuiteImpl,
  type CiphersuiteName,
  type ClientState,
  createCommit,
  createGroup,
  createGroupInfoWithExternalPubAndRatchetTree,
  createProposal,
  defaultCapabilities,
  emptyPskIndex,
  generateKeyPackageWithKey,
  getCiphersuiteFromName,
  getCiphersuiteImpl,
  joinGroup,
  joinGroupExternal,
  type KeyPackage,
  type PrivateKeyPackage,
  type Proposal,
  processMessage,
} from 'ts-mls'
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js'
import { addsOf, decode, encode, sealPadded } from './mls-messages.ts'
import { assertDone, type Reply, type Rest } from './rest.ts'
import { Xrpc } from './xrpc.ts'

export const SUITE: CiphersuiteName = 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519'
const DAY = 86_400

export interface OwnPackage {
  readonly ref: string
  readonly publicPackage: KeyPackage
  readonly privatePackage: PrivateKeyPackage
}

export interface PackageOptions {
  readonly lastResort?: boolean
  readonly days?: number
  readonly identity?: string
}

/** One device that speaks real MLS and keeps the state of its groups. */
export class MlsDevice {
  readonly xrpc: Xrpc
  readonly did: string
  readonly suite: CiphersuiteImpl
  readonly signatureKeys: { signKey: Uint8Array; publicKey: Uint8Array }
  readonly packages = new Map<string, OwnPackage>()
  readonly groups = new Map<string, ClientState>()
  /** The last sequence number read, by group. */
  readonly read = new Map<string, number>()
  readonly received: string[] = []
  /** The server's clock, in seconds since 1970. */
  readonly now: () => number
  id = ''

  private constructor(
    xrpc: Xrpc,
    did: string,
    suite: CiphersuiteImpl,
    keys: MlsDevice['signatureKeys'],
    now: () => number,
  ) {
    this.xrpc = xrpc
    this.did = did
    this.suite = suite
    this.signatureKeys = keys
    this.now = now
  }

  /** Creates a device with `count` published key packages. */
  static async create(
    rest: Rest,
    did: string,
    now: () => number,
    { count = 2, suiteName = SUITE }: { count?: number; suiteName?: CiphersuiteName } = {},
  ): Promise<MlsDevice> {
    const suite = await getCiphersuiteImpl(getCiphersuiteFromName(suiteName))
    const keys = await suite.signature.keygen()
    const device = new MlsDevice(new Xrpc(rest), did, suite, keys, now)
    if (count > 0) await device.publish(count)
    return device
  }

  /** Creates a key package for this device without publishing it. */
  async makePackage(options: PackageOptions = {}): Promise<OwnPackage> {
    const now = BigInt(Math.floor(this.now()))
    const { publicPackage, privatePackage } = await generateKeyPackageWithKey(
      { credentialType: 'basic', identity: new TextEncoder().encode(options.identity ?? this.did) },
      defaultCapabilities(),
      { notBefore: now - 3600n, notAfter: now + BigInt((options.days ?? 30) * DAY) },
      options.lastResort ? [{ extensionType: 10, extensionData: new Uint8Array() }] : [],
      this.signatureKeys,
      this.suite,
    )
    const ref = Buffer.from(await makeKeyPackageRef(publicPackage, this.suite.hash)).toString('hex')
    const own = { ref, publicPackage, privatePackage }
    this.packages.set(ref, own)
    return own
  }

  /** The request body that publishes it. */
  input({ publicPackage }: OwnPackage, days = 30) {
    return {
      keyPackage: encode({
        version: 'mls10',
        wireformat: 'mls_key_package',
        keyPackage: publicPackage,
      }),
      cipherSuite: this.suite.name,
      expires: new Date((this.now() + days * DAY - 60) * 1000).toISOString(),
    }
  }

  async publish(count: number): Promise<void> {
    const keyPackages = []
    for (let i = 0; i < count; i++) keyPackages.push(this.input(await this.makePackage()))
    const done = assertDone(await this.xrpc.post('publishKeyPackages', { keyPackages }))
    assert.equal(done.succeeded, count, JSON.stringify(done))
    this.id = done.deviceId
  }

  /** Fetches key packages for these people's devices. */
  async take(...dids: string[]): Promise<KeyPackage[]> {
    const { keyPackages, missing } = assertDone(await this.xrpc.get('getKeyPackages', { dids }))
    assert.deepEqual(missing, [])
    return keyPackages.map((one: { keyPackage: string }) => {
      const message = decode(one.keyPackage)
      assert.equal(message.wireformat, 'mls_key_package')
      return message.wireformat === 'mls_key_package' ? message.keyPackage : undefined
    })
  }

  state(convoId: string): ClientState {
    const state = this.groups.get(convoId)
    assert.ok(state, 'the device is not in this group')
    return state
  }

  async groupInfo(state: ClientState): Promise<string> {
    const info = await createGroupInfoWithExternalPubAndRatchetTree(state, [], this.suite)
    return encode({ version: 'mls10', wireformat: 'mls_group_info', groupInfo: info })
  }

  /** Creates a group with the devices of these people, without telling the server. */
  async makeGroup(dids: readonly string[], groupId = randomBytes(16).toString('hex')) {
    const own = await this.makePackage()
    const state = await createGroup(
      Buffer.from(groupId, 'hex'),
      own.publicPackage,
      own.privatePackage,
      [],
      this.suite,
    )
    const body = { groupId, cipherSuite: this.suite.name as string }
    if (dids.length === 0)
      return { state, body: { ...body, groupInfo: await this.groupInfo(state) } }
    const packages = await this.take(...dids)
    const { newState, welcome } = await this.commit(state, addsOf(packages))
    return {
      state: newState,
      body: {
        ...body,
        initialMembers: dids,
        welcomeMessage: welcome,
        groupInfo: await this.groupInfo(newState),
      },
    }
  }

  async createConvo(...dids: string[]): Promise<string> {
    const { state, body } = await this.makeGroup(dids)
    assertDone(await this.xrpc.post('createConvo', body))
    this.groups.set(body.groupId, state)
    this.read.set(body.groupId, 0)
    return body.groupId
  }

  /** Creates a commit on a state, in the form the server accepts. */
  async commit(state: ClientState, extraProposals: Proposal[]) {
    const made = await createCommit(
      { state, cipherSuite: this.suite, pskIndex: emptyPskIndex },
      { wireAsPublicMessage: true, extraProposals, ratchetTreeExtension: true },
    )
    const { newState, welcome } = made
    return {
      newState,
      commit: encode(made.commit),
      welcome: welcome && encode({ version: 'mls10', wireformat: 'mls_welcome', welcome }),
    }
  }

  /** The request body for adding people, and the state it leads to. */
  async prepareAdd(convoId: string, ...dids: string[]) {
    const packages = dids.length > 0 ? await this.take(...dids) : []
    return this.prepareAddOf(convoId, dids, packages)
  }

  async prepareAddOf(convoId: string, didList: readonly string[], packages: readonly KeyPackage[]) {
    const { newState, commit, welcome } = await this.commit(this.state(convoId), addsOf(packages))
    const body = {
      ...{ convoId, didList, commit, groupInfo: await this.groupInfo(newState) },
      ...(welcome ? { welcomeMessage: welcome } : {}),
    }
    return { newState, body }
  }

  async add(convoId: string, ...dids: string[]): Promise<Reply['body']> {
    const { newState, body } = await this.prepareAdd(convoId, ...dids)
    const done = assertDone(await this.xrpc.post('addMembers', body))
    this.moved(convoId, newState, done.seq)
    return done
  }

  /** Adopts the state that this device's accepted commit led to. */
  moved(convoId: string, newState: ClientState, seq: number): void {
    this.groups.set(convoId, newState)
    this.read.set(convoId, seq)
  }

  /** Leaf indices of a person in this device's view of the tree. */
  leavesOf(convoId: string, did: string): number[] {
    return this.state(convoId).ratchetTree.flatMap((node, index) => {
      if (node?.nodeType !== 'leaf' || node.leaf.credential.credentialType !== 'basic') return []
      return new TextDecoder().decode(node.leaf.credential.identity) === did ? [index / 2] : []
    })
  }

  async prepareRemoval(convoId: string, ...leaves: number[]) {
    const proposals = leaves.map(
      (removed): Proposal => ({ proposalType: 'remove', remove: { removed } }),
    )
    const { newState, commit } = await this.commit(this.state(convoId), proposals)
    return { newState, commit, groupInfo: await this.groupInfo(newState) }
  }

  async remove(convoId: string, targetDid: string): Promise<Reply> {
    const leaves = this.leavesOf(convoId, targetDid)
    const { newState, commit, groupInfo } = await this.prepareRemoval(convoId, ...leaves)
    const body = { convoId, targetDid, commit, groupInfo, idempotencyKey: randomUUID() }
    const reply = await this.xrpc.post('removeMember', body)
    if (reply.status === 200) {
      const { lastSeq } = assertDone(await this.xrpc.get('getEpoch', { convoId }))
      this.moved(convoId, newState, lastSeq)
    }
    return reply
  }

  /** A Remove proposal for one of this person's own leaves, as a client sends on leaving. */
  async proposeRemoval(convoId: string, removed: number): Promise<string> {
    const proposal: Proposal = { proposalType: 'remove', remove: { removed } }
    const { message, newState } = await createProposal(
      this.state(convoId),
      true,
      proposal,
      this.suite,
    )
    this.groups.set(convoId, newState)
    return encode(message)
  }

  /** Joins from the Welcome that is waiting for this device. */
  async join(convoId: string): Promise<void> {
    const found = assertDone(await this.xrpc.get('getWelcome', { convoId, deviceId: this.id }))
    const message = decode(found.welcome)
    assert.equal(message.wireformat, 'mls_welcome')
    const own = this.packages.get(found.keyPackageHash)
    assert.ok(own && message.wireformat === 'mls_welcome')
    const state = await joinGroup(
      message.welcome,
      own.publicPackage,
      own.privatePackage,
      emptyPskIndex,
      this.suite,
    )
    this.moved(convoId, state, found.joinedSeq)
    const confirmation = { convoId, success: true, keyPackageHash: found.keyPackageHash }
    assertDone(await this.xrpc.post('confirmWelcome', confirmation))
  }

  /** The request body for joining a group by an external commit. */
  async prepareExternal(
    convoId: string,
    { psk, resync = true }: { psk?: string; resync?: boolean },
  ) {
    const query = { convoId, ...(psk === undefined ? {} : { psk }) }
    const found = assertDone(await this.xrpc.get('getGroupInfo', query))
    const message = decode(found.groupInfo)
    assert.ok(message.wireformat === 'mls_group_info')
    const own = await this.makePackage()
    const { publicMessage, newState } = await joinGroupExternal(
      message.groupInfo,
      own.publicPackage,
      own.privatePackage,
      resync,
      this.suite,
    )
    const body = {
      ...query,
      externalCommit: encode({ version: 'mls10', wireformat: 'mls_public_message', publicMessage }),
      groupInfo: await this.groupInfo(newState),
    }
    return { newState, body }
  }

  /** A message padded to a bucket size, inside the encryption. */
  async prepareMessage(convoId: string, text: string, bucket = 512) {
    const state = this.state(convoId)
    const made = await sealPadded(state, this.suite, text, bucket)
    const body = {
      ...{ convoId, msgId: randomUUID(), epoch: Number(state.groupContext.epoch) },
      ...{
        ciphertext: { $bytes: made.message.toString('base64') },
        paddedSize: made.message.length,
      },
    }
    return { newState: made.newState, body }
  }

  async send(convoId: string, text: string, bucket?: number): Promise<Reply['body']> {
    const { newState, body } = await this.prepareMessage(convoId, text, bucket)
    const done = assertDone(await this.xrpc.post('sendMessage', body))
    this.groups.set(convoId, newState)
    return done
  }

  /** Reads everything new and returns the texts; skips own messages, which cannot be decrypted. */
  async catchUp(convoId: string): Promise<string[]> {
    const texts: string[] = []
    for (;;) {
      const sinceSeq = this.read.get(convoId) ?? 0
      const page = assertDone(await this.xrpc.get('getMessages', { convoId, sinceSeq }))
      for (const message of page.messages) {
        const text = await this.openEntry(convoId, message)
        if (text !== undefined) texts.push(text)
      }
      this.read.set(convoId, page.lastSeq)
      if (!page.hasMore) break
    }
    this.received.push(...texts)
    return texts
  }

  private async openEntry(
    convoId: string,
    { ciphertext }: { ciphertext: { $bytes: string } },
  ): Promise<string | undefined> {
    const message = decode(ciphertext.$bytes)
    assert.ok(
      message.wireformat === 'mls_private_message' || message.wireformat === 'mls_public_message',
    )
    const state = this.state(convoId)
    try {
      const result = await processMessage(message, state, emptyPskIndex, acceptAll, this.suite)
      this.groups.set(convoId, result.newState)
      return result.kind === 'applicationMessage'
        ? new TextDecoder().decode(result.message)
        : undefined
    } catch (error) {
      // The own ratchet has already deleted the keys of messages this device sent.
      if (message.wireformat === 'mls_private_message') return undefined
      throw error
    }
  }

  epoch(convoId: string): number {
    return Number(this.state(convoId).groupContext.epoch)
  }
}
