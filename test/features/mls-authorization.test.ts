import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { xrpcMethods } from '../../src/app/features.ts'
import { DidNetwork } from '../harness/atproto.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { MlsDevice } from '../harness/mls.ts'
import { deviceOf } from '../harness/mls-people.ts'
import { assertDone, type Reply, Rest } from '../harness/rest.ts'

/** All callers, in column order; refused calls are tried before those that have an effect. */
const CALLERS = ['stranger', 'removed', 'outside', 'suspended', 'other', 'member', 'admin'] as const
type Caller = (typeof CALLERS)[number]

interface Scene {
  readonly convoId: string
  readonly devices: Readonly<Record<Caller, MlsDevice>>
  /** Another member, at whom the requests are aimed. */
  readonly target: MlsDevice
}

type Row = readonly [
  method: string,
  /** The expected status of each caller, in the order of CALLERS. */
  expected: readonly number[],
  call: (device: MlsDevice, scene: Scene, caller: Caller) => Promise<Reply>,
]

// A suspended caller always gets 401. `other` is a member's device that is not in the group.
const ANYBODY = [200, 200, 200, 401, 200, 200, 200]
const MEMBERS = [403, 403, 403, 401, 200, 200, 200]
const ADMINS = [403, 403, 403, 401, 403, 403, 200]
/** Only a leaf of the group can make these. */
const LEAVES = [403, 403, 403, 401, 400, 200, 200]

/** The device whose state the commits and messages come from: callers without a state use the admin's. */
function speaker(device: MlsDevice, { convoId, devices }: Scene): MlsDevice {
  return device.groups.has(convoId) ? device : devices.admin
}

/** Brings all devices in the group up to an accepted commit. */
async function follow(
  { convoId, devices, target }: Scene,
  done: Reply,
  by: MlsDevice,
  state: unknown,
) {
  if (done.status === 200) {
    const { lastSeq } = assertDone(await by.xrpc.get('getEpoch', { convoId }))
    by.moved(convoId, state as never, lastSeq)
  }
  for (const device of [devices.admin, devices.member, target]) {
    if (device !== by) await device.catchUp(convoId)
  }
  return done
}

const get =
  (name: string, more: object = {}) =>
  (device: MlsDevice, { convoId }: Scene) =>
    device.xrpc.get(name, { convoId, ...more })
const post =
  (name: string, input: (scene: Scene, device: MlsDevice) => object) =>
  (device: MlsDevice, scene: Scene) =>
    device.xrpc.post(name, { convoId: scene.convoId, ...input(scene, device) })

const blob = (device: MlsDevice, { convoId }: Scene) =>
  device.xrpc.rest.send('POST', `/xrpc/blue.catbird.mls.uploadBlob?convoId=${convoId}`, 'sealed')

const ROWS: readonly Row[] = [
  [
    'createConvo',
    ANYBODY,
    async (device) => device.xrpc.post('createConvo', (await device.makeGroup([])).body),
  ],
  [
    'addMembers',
    LEAVES,
    async (device, scene) => {
      const by = speaker(device, scene)
      const { newState, body } = await by.prepareAdd(scene.convoId)
      return follow(scene, await device.xrpc.post('addMembers', body), by, newState)
    },
  ],
  [
    'sendMessage',
    MEMBERS,
    async (device, scene) => {
      const by = speaker(device, scene)
      const { newState, body } = await by.prepareMessage(scene.convoId, 'hello')
      by.groups.set(scene.convoId, newState)
      return device.xrpc.post('sendMessage', body)
    },
  ],
  ['getMessages', MEMBERS, get('getMessages')],
  ['getEpoch', MEMBERS, get('getEpoch')],
  ['getCommits', MEMBERS, get('getCommits', { fromEpoch: 0 })],
  ['getConvos', ANYBODY, (device) => device.xrpc.get('getConvos')],
  // Only an addressed device gets one, and here no device is.
  ['getWelcome', [404, 404, 404, 401, 404, 404, 404], get('getWelcome')],
  [
    'confirmWelcome',
    [404, 404, 404, 401, 404, 404, 404],
    post('confirmWelcome', () => ({ success: true })),
  ],
  ['getGroupInfo', MEMBERS, get('getGroupInfo')],
  [
    'updateGroupInfo',
    MEMBERS,
    async (device, scene) => {
      const { convoId } = scene
      const by = speaker(device, scene)
      const groupInfo = await by.groupInfo(by.state(convoId))
      return device.xrpc.post('updateGroupInfo', { convoId, groupInfo, epoch: by.epoch(convoId) })
    },
  ],
  [
    'processExternalCommit',
    MEMBERS,
    async (device, scene, caller) => {
      const { convoId } = scene
      const isMember = caller === 'other' || device.groups.has(convoId)
      const by = isMember ? device : scene.devices.admin
      const { newState, body } = await by.prepareExternal(convoId, {
        resync: device.groups.has(convoId) || !isMember,
      })
      const done = await device.xrpc.post('processExternalCommit', body)
      // The other device leaves again, so that it stays outside the group.
      if (caller === 'other') {
        await follow(scene, done, by, newState)
        assertDone(await scene.devices.admin.xrpc.get('getEpoch', { convoId }))
        const [leaf] = by.leavesOf(convoId, by.did).slice(-1)
        const member = scene.devices.member
        const removal = await member.prepareRemoval(convoId, leaf as number)
        const input = { convoId, didList: [], commit: removal.commit, groupInfo: removal.groupInfo }
        await follow(scene, await member.xrpc.post('addMembers', input), member, removal.newState)
        by.groups.delete(convoId)
        return done
      }
      return follow(scene, done, by, newState)
    },
  ],
  ['updateCursor', MEMBERS, post('updateCursor', () => ({ cursor: '1' }))],
  ['getSubscriptionTicket', MEMBERS, get('getSubscriptionTicket')],
  [
    'subscribeConvoEvents',
    MEMBERS,
    (device, { convoId }) =>
      device.xrpc.rest.probe(`/xrpc/blue.catbird.mls.subscribeConvoEvents?convoId=${convoId}`),
  ],
  ['uploadBlob', MEMBERS, blob],
  [
    'getBlob',
    [403, 403, 403, 401, 404, 404, 404],
    get('getBlob', { cid: `sha256-${'0'.repeat(64)}` }),
  ],
  ['promoteAdmin', ADMINS, post('promoteAdmin', ({ target }) => ({ targetDid: target.did }))],
  ['demoteAdmin', ADMINS, post('demoteAdmin', ({ target }) => ({ targetDid: target.did }))],
  ['updatePolicy', ADMINS, post('updatePolicy', () => ({ maxMembers: 100 }))],
  [
    'createInvite',
    ADMINS,
    post('createInvite', () => ({ pskHash: randomBytes(32).toString('hex') })),
  ],
  [
    'revokeInvite',
    [403, 403, 403, 401, 403, 403, 404],
    post('revokeInvite', () => ({ inviteId: 'x' })),
  ],
  [
    'reportMember',
    MEMBERS,
    post('reportMember', ({ target }) => ({
      ...{ reportedDid: target.did, category: 'spam', encryptedContent: { $bytes: 'AAAA' } },
    })),
  ],
  ['getReports', ADMINS, get('getReports')],
  [
    'resolveReport',
    ADMINS,
    async (device, { convoId, devices }) => {
      const { reports } = assertDone(await devices.admin.xrpc.get('getReports', { convoId }))
      const [report] = reports.filter((one: { status: string }) => one.status === 'pending')
      return device.xrpc.post('resolveReport', { reportId: report.reportId, action: 'dismissed' })
    },
  ],
  [
    'publishKeyPackage',
    ANYBODY,
    async (device) =>
      device.xrpc.post('publishKeyPackage', device.input(await device.makePackage())),
  ],
  [
    'publishKeyPackages',
    ANYBODY,
    async (device) =>
      device.xrpc.post('publishKeyPackages', {
        keyPackages: [device.input(await device.makePackage())],
      }),
  ],
  [
    'registerDevice',
    ANYBODY,
    async (device) =>
      device.xrpc.post('registerDevice', {
        ...{ deviceName: 'a name', keyPackages: [device.input(await device.makePackage())] },
      }),
  ],
  [
    'getKeyPackages',
    ANYBODY,
    (device) => device.xrpc.get('getKeyPackages', { dids: [device.did] }),
  ],
  ['getKeyPackageStats', ANYBODY, (device) => device.xrpc.get('getKeyPackageStats')],
  [
    'syncKeyPackages',
    ANYBODY,
    (device) =>
      device.xrpc.post('syncKeyPackages', {
        deviceId: device.id,
        localHashes: [...device.packages.keys()],
      }),
  ],
  ['listDevices', ANYBODY, (device) => device.xrpc.get('listDevices')],
  ['optIn', ANYBODY, (device) => device.xrpc.post('optIn')],
  ['optOut', ANYBODY, (device) => device.xrpc.post('optOut')],
  // Members can remove themselves; removing others takes an admin.
  [
    'leaveConvo',
    ADMINS,
    async (device, scene) => {
      const by = speaker(device, scene)
      const leaves = by.leavesOf(scene.convoId, scene.target.did)
      const { newState, commit } = await by.prepareRemoval(scene.convoId, ...leaves)
      const input = { convoId: scene.convoId, targetDid: scene.target.did, commit }
      const done = await device.xrpc.post('leaveConvo', input)
      if (done.status !== 200) return done
      by.groups.set(scene.convoId, newState)
      await scene.devices.member.catchUp(scene.convoId)
      return done
    },
  ],
  [
    'removeMember',
    [403, 403, 403, 401, 403, 403, 400],
    post('removeMember', ({ target }) => ({ targetDid: target.did })),
  ],
  ['leaveConvo', [403, 403, 403, 401, 200, 403, 409], post('leaveConvo', () => ({}))],
  ['deleteDevice', ANYBODY, (device) => device.xrpc.post('deleteDevice', { deviceId: device.id })],
]

async function setScene(mimir: Appliance, network: DidNetwork): Promise<Scene> {
  const [alice, bob, carol, erin, target] = await mimir.friends(
    'alice',
    'bob',
    'carol',
    'erin',
    'tom',
  )
  const zoe = await network.plc()
  const devices = {
    admin: await deviceOf(mimir, alice),
    member: await deviceOf(mimir, bob),
    other: await deviceOf(mimir, bob, 0),
    removed: await deviceOf(mimir, carol),
    suspended: await deviceOf(mimir, erin),
    stranger: await deviceOf(mimir, await mimir.person('dave')),
    outside: await MlsDevice.create(
      new SigningRest(mimir, (name) => zoe.token(mimir, name)),
      zoe.did,
      () => mimir.clock.now() / 1000,
    ),
  }
  const targetDevice = await deviceOf(mimir, target)
  const others = [devices.member, devices.removed, devices.suspended, targetDevice]
  const convoId = await devices.admin.createConvo(...others.map(({ did }) => did))
  for (const device of others) await device.join(convoId)
  assert.equal((await devices.admin.remove(convoId, devices.removed.did)).status, 200)
  for (const device of others) if (device !== devices.removed) await device.catchUp(convoId)
  // Published only now, since a group adds every device of a person.
  await devices.other.publish(1)
  await devices.admin.send(convoId, 'hello')
  for (const device of [devices.removed, devices.suspended]) device.groups.delete(convoId)
  await mimir.command('user.suspend', { user: 'erin' })
  return { convoId, devices, target: targetDevice }
}

/** A REST client that signs a new service token for every call. */
class SigningRest extends Rest {
  readonly #mimir: Appliance
  readonly #sign: (name: string) => Promise<string>
  constructor(mimir: Appliance, sign: (name: string) => Promise<string>) {
    super(mimir.url)
    this.#mimir = mimir
    this.#sign = sign
  }

  async #signed(path: string): Promise<Rest> {
    const [, name = ''] = /blue\.catbird\.mls\.(\w+)/.exec(path) ?? []
    return this.#mimir.rest(await this.#sign(name))
  }

  override async send(...args: Parameters<Rest['send']>): Promise<Reply> {
    return (await this.#signed(args[1])).send(...args)
  }

  override async probe(path: string): Promise<Reply> {
    return (await this.#signed(path)).probe(path)
  }
}

test('who may call what', async () => {
  await using network = await DidNetwork.start()
  await using mimir = await boot({ env: { ...network.env, MIMIR_ATPROTO_ADMISSION: 'open' } })
  const scene = await setScene(mimir, network)
  const walked = new Set<string>()
  for (const [method, expected, call] of ROWS) {
    walked.add(`blue.catbird.mls.${method}`)
    for (const [index, caller] of CALLERS.entries()) {
      const reply = await call(scene.devices[caller], scene, caller)
      const what = `${method} as ${caller}: ${JSON.stringify(reply.body)}`
      assert.equal(reply.status, expected[index], what)
    }
  }
  assert.deepEqual([...walked].sort(), xrpcMethods.map(({ nsid }) => nsid).sort())
})
