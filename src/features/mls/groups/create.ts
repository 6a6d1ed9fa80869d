import type { Ctx } from '../../../context.ts'
import type { Tx } from '../../../db/database.ts'
import type { MlsConvoRow, MlsLeafRow, MlsMemberRow } from '../../../db/tables.ts'
import { appendEvents } from '../../../events/append.ts'
import { toIso } from '../../../platform/clock.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../../policy/actor.ts'
import { didsOf } from '../../atproto/service.ts'
import { recordAudit } from '../../audit/service.ts'
import { blocksAmong } from '../../friends/access.ts'
import { type Added, requireAdded, requireOwners } from '../commits/adding.ts'
import { deliverWelcome } from '../commits/deliver-welcome.ts'
import { type IncomingWelcome, readInfoOf, readWelcomeOf } from '../commits/incoming.ts'
import { identifyLeaves } from '../commits/tree.ts'
import { mlsErrors } from '../errors.ts'
import { convoEvent } from '../events.ts'
import { runIdempotent } from '../once.ts'
import type { CreateConvo } from '../schema.ts'
import { type Convo, insertConvo } from '../store/convos.ts'
import { listDevicesById, listDevicesOf } from '../store/devices.ts'
import { insertLeaves } from '../store/leaves.ts'
import { upsertMembers } from '../store/members.ts'
import { CIPHER_SUITES } from '../wire/mls-library.ts'
import type { GroupInfoFacts } from '../wire/reading.ts'
import { viewConvos } from './view.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'config' | 'bus'>
type View = Awaited<ReturnType<typeof viewConvos>>[number]

const MAX_MEMBERS = 1000
const GROUP_ID = /^([0-9a-f]{2}){1,64}$/

interface Creation {
  readonly input: CreateConvo
  readonly epoch: number
  readonly welcome: IncomingWelcome | undefined
  readonly groupInfo: GroupInfoFacts | undefined
}

/** Decodes the request and refuses one that contradicts itself. */
async function read(input: CreateConvo): Promise<Creation> {
  if (!CIPHER_SUITES.has(input.cipherSuite)) throw new AppError(mlsErrors.invalidCipherSuite)
  if (!GROUP_ID.test(input.groupId)) throw new AppError(mlsErrors.invalidGroupInfo)
  const welcome = readWelcomeOf(input)
  // A Welcome means that a first commit was made, which needs no delivery: the others join by the Welcome.
  const epoch = welcome ? 1 : 0
  const convo = { id: input.groupId, cipher_suite: input.cipherSuite }
  const groupInfo = await readInfoOf(convo, input.groupInfo)
  if ((groupInfo?.epoch ?? epoch) !== epoch || (input.currentEpoch ?? epoch) !== epoch) {
    throw new AppError(mlsErrors.invalidGroupInfo)
  }
  return { input, epoch, welcome, groupInfo }
}

/**
 * Creates a conversation for a group that the creator's device has made; the owners of the devices that
 * the Welcome is for become members. Everything is written in one transaction.
 */
export async function createConvo(
  ctx: Needs,
  actor: Actor,
  input: CreateConvo,
  bodyHash: string,
): Promise<View> {
  const me = requireUser(actor)
  const creation = await read(input)
  const once = { method: 'createConvo', key: input.idempotencyKey, bodyHash }
  return ctx.db.transaction((tx) =>
    runIdempotent(ctx, tx, me, once, () => create(ctx, tx, me, creation)),
  )
}

async function create(ctx: Needs, tx: Tx, me: UserActor, creation: Creation): Promise<View> {
  const { input, epoch, welcome, groupInfo } = creation
  const { groupId: convoId, cipherSuite } = input
  const added = await requireAdded(ctx, tx, me, {
    refs: welcome?.facts.refs ?? [],
    cipherSuite,
    welcome: welcome?.facts,
    hashes: input.keyPackageHashes,
  })
  await requirePeople(ctx, tx, me, input, added)
  const now = toIso(ctx.clock.now())
  const names = { id: convoId, tenant_id: me.tenantId }
  const leaves = groupInfo && (await leavesOf(ctx, tx, me, names, groupInfo, added))
  const convo: MlsConvoRow = {
    id: convoId,
    tenant_id: me.tenantId,
    creator_id: me.userId,
    cipher_suite: cipherSuite,
    epoch,
    last_seq: 0,
    floor_seq: 0,
    removal_epoch: 0,
    knows_leaves: leaves ? 1 : 0,
    name: input.metadata?.name ?? null,
    description: input.metadata?.description ?? null,
    group_info: groupInfo?.message ?? null,
    group_info_epoch: groupInfo ? epoch : null,
    allow_member_add: 1,
    allow_invites: 1,
    allow_external_commits: 1,
    max_members: MAX_MEMBERS,
    created_at: now,
    last_message_at: null,
  }
  if (!(await insertConvo(tx, convo))) throw new AppError(mlsErrors.convoExists)
  const userIds = [...new Set([me.userId, ...added.owners.keys()])]
  await upsertMembers(
    tx,
    userIds.map(
      (userId): MlsMemberRow => ({
        convo_id: convoId,
        user_id: userId,
        tenant_id: me.tenantId,
        is_admin: userId === me.userId ? 1 : 0,
        joined_at: now,
        joined_seq: 0,
        joined_epoch: epoch,
        joined_after: 0,
        left_at: null,
        left_with: null,
        promoted_at: userId === me.userId ? now : null,
        promoted_by: null,
      }),
    ),
  )
  await insertLeaves(tx, leaves ?? [])
  const place = { tenantId: me.tenantId, convoId, seq: 0 }
  const welcomes = welcome ? await deliverWelcome(ctx, tx, place, epoch, added, welcome.bytes) : []
  const joined = userIds.map((userId) => convoEvent(place, 'joined', userId, { joins: [userId] }))
  await appendEvents(ctx, tx, [...joined, ...welcomes])
  await recordAudit(ctx, tx, me, {
    type: 'mls.convo_created',
    target: { type: 'mls_convo', id: convoId },
    details: { members: userIds.length, devices: added.packages.length + 1 },
  })
  const [view] = await viewConvos(ctx, tx, [convo])
  return view as View
}

async function requirePeople(
  ctx: Needs,
  tx: Tx,
  me: UserActor,
  { initialMembers = [] }: CreateConvo,
  added: Added,
): Promise<void> {
  const mine = (await didsOf(ctx, tx, me.tenantId, [me.userId])).get(me.userId) ?? ''
  const others = new Set(initialMembers).add(mine)
  if (others.size > MAX_MEMBERS) throw new AppError(mlsErrors.tooManyMembers)
  // The creator may or may not be in `initialMembers`, and may add other devices of their own.
  if (!added.owners.has(me.userId)) others.delete(mine)
  requireOwners(ctx, added, [...others], mlsErrors.invalidWelcome)
  const blocks = await blocksAmong(tx, [me.userId, ...added.owners.keys()])
  if (blocks.length > 0) throw new AppError(mlsErrors.mutualBlock)
}

/** The leaves of the tree, which must be one device of the creator and exactly the added devices. */
async function leavesOf(
  ctx: Needs,
  tx: Tx,
  me: UserActor,
  convo: Pick<Convo, 'id' | 'tenant_id'>,
  groupInfo: GroupInfoFacts,
  { packages, owners }: Added,
): Promise<MlsLeafRow[]> {
  const added = new Set(packages.map((row) => row.device_id))
  const mine = await listDevicesOf(tx, me.userId)
  const theirs = await listDevicesById(tx, [...added])
  const dids = await didsOf(ctx, tx, me.tenantId, [me.userId, ...owners.keys()])
  const others = mine.filter(({ id }) => !added.has(id))
  const leaves = identifyLeaves(convo, groupInfo, [...others, ...theirs], dids)
  const creators = leaves.filter((leaf) => !added.has(leaf.device_id))
  if (creators.length !== 1 || leaves.length !== added.size + 1) {
    throw new AppError(mlsErrors.invalidGroupInfo)
  }
  return leaves
}
