import type { Ctx } from '../../../context.ts'
import type { Db } from '../../../db/database.ts'
import type { MlsCursorRow } from '../../../db/tables.ts'
import { DAY, toIso } from '../../../platform/clock.ts'
import { dropFiles } from '../../attachments/service-bytes.ts'
import { deleteAnswersBefore } from '../store/answers.ts'
import { deleteBlobsBefore } from '../store/blobs.ts'
import { type Convo, listConvoPage, lockConvo, updateConvo } from '../store/convos.ts'
import { deleteCursors, listCursors } from '../store/cursors.ts'
import { deleteUselessInvites } from '../store/invites.ts'
import { deleteOldKeyPackages } from '../store/key-packages.ts'
import { listLeaves } from '../store/leaves.ts'
import { listCurrentMembers } from '../store/members.ts'
import { deleteMessagesUpTo, findNewestOld, findTimeAfter } from '../store/messages.ts'
import { deleteTicketsBefore } from '../store/tickets.ts'
import { deleteUnusedBodies } from '../store/welcomes.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'config'>

const PAGE = 100
/** Messages deleted per transaction: few enough that other writers hardly wait. */
const MESSAGES_TOGETHER = 1000
/** How long a repeated request gets its first answer. */
const ANSWER_LIFE = DAY
/** Used key packages are kept for a week for statistics; expired ones are not kept. */
const CONSUMED_LIFE = 7 * DAY
/** A file is uploaded before the message that refers to it, at most so long before. */
const UPLOAD_LEAD = DAY

/** How far the devices of a conversation have read. */
interface Progress {
  /**
   * The sequence number that every device of every current member has reached. A device that never reported
   * a cursor counts as being where its owner joined, so that nothing it has not read is deleted.
   */
  readonly passedByAll: number
  /** The cursors of former members and of devices that are no longer in the group. */
  readonly useless: readonly MlsCursorRow[]
}

async function readProgress(db: Db, convo: Convo): Promise<Progress> {
  const members = await listCurrentMembers(db, convo.id)
  const leaves = await listLeaves(db, [convo.id])
  const cursors = await listCursors(db, convo.id)
  const cursorOf = (userId: string, deviceId: string) =>
    cursors.find((one) => one.user_id === userId && one.device_id === deviceId)?.seq ?? 0
  const places = members.map(({ user_id: userId, joined_seq }) => {
    const devices = leaves.filter((leaf) => leaf.user_id === userId && leaf.deleted_at === null)
    const whole = Math.max(joined_seq, cursorOf(userId, ''))
    const ids = devices.length > 0 ? devices.map((leaf) => leaf.device_id) : ['']
    return Math.min(...ids.map((deviceId) => Math.max(whole, cursorOf(userId, deviceId))))
  })
  const present = new Set(members.map(({ user_id }) => user_id))
  const inTree = new Set(leaves.map((leaf) => leaf.device_id))
  const isUsed = ({ user_id, device_id }: MlsCursorRow) =>
    present.has(user_id) && (device_id === '' || convo.knows_leaves !== 1 || inTree.has(device_id))
  return {
    passedByAll: places.length > 0 ? Math.min(...places) : convo.last_seq,
    useless: cursors.filter((cursor) => !isUsed(cursor)),
  }
}

export interface Compacted {
  readonly conversations: number
  readonly messages: number
}

/** Deletes old messages and commits that every device has read, and raises the floor accordingly. */
export async function compact(ctx: Needs, signal?: AbortSignal): Promise<Compacted> {
  const before = toIso(ctx.clock.now() - ctx.config.mls.retentionDays * DAY)
  let [conversations, messages] = [0, 0]
  let after = ''
  while (!signal?.aborted) {
    const page = await listConvoPage(ctx.db.read, after, PAGE)
    for (const { id, tenant_id } of page) {
      let deleted = 0
      let count: number
      do {
        count = await compactSome(ctx, tenant_id, id, before)
        deleted += count
      } while (count === MESSAGES_TOGETHER && !signal?.aborted)
      if (deleted > 0) conversations += 1
      messages += deleted
    }
    const last = page.at(-1)
    if (!last || page.length < PAGE) break
    after = last.id
  }
  return { conversations, messages }
}

/** Deletes the oldest of a conversation's messages that are due; returns how many. */
async function compactSome(
  ctx: Needs,
  tenantId: string,
  id: string,
  before: string,
): Promise<number> {
  return ctx.db.transaction(async (tx) => {
    const convo = await lockConvo(tx, tenantId, id)
    if (!convo) return 0
    const { passedByAll, useless } = await readProgress(tx, convo)
    await deleteCursors(tx, useless)
    const most = Math.min(passedByAll, convo.floor_seq + MESSAGES_TOGETHER)
    const floor = await findNewestOld(tx, id, most, before)
    if (floor === undefined) return 0
    await updateConvo(tx, id, { floor_seq: Math.max(floor.seq, convo.floor_seq) })
    // A file is deleted with the last message that can refer to it.
    const next = await findTimeAfter(tx, id, floor.seq)
    const spared = next === undefined ? floor.created_at : toIso(Date.parse(next) - UPLOAD_LEAD)
    const until = spared < floor.created_at ? spared : floor.created_at
    await dropFiles(tx, await deleteBlobsBefore(tx, id, until))
    return deleteMessagesUpTo(tx, id, floor.seq)
  })
}

/** Deletes what nobody can use any more: answers, tickets, invitations, Welcome bodies and key packages. */
export async function sweep(ctx: Needs, signal: AbortSignal): Promise<void> {
  const now = ctx.clock.now()
  await ctx.db.transaction(async (tx) => {
    await deleteAnswersBefore(tx, toIso(now - ANSWER_LIFE))
    await deleteTicketsBefore(tx, toIso(now))
    await deleteUselessInvites(tx, toIso(now))
    await deleteUnusedBodies(tx)
  })
  const outdated = { expired: toIso(now), consumed: toIso(now - CONSUMED_LIFE) }
  while (!signal.aborted) {
    const count = await ctx.db.transaction((tx) => deleteOldKeyPackages(tx, outdated, PAGE))
    if (count < PAGE) return
  }
}
