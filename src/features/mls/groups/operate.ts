import type { Ctx } from '../../../context.ts'
import { toIso } from '../../../platform/clock.ts'
import { AppError } from '../../../platform/errors.ts'
import type { Actor } from '../../../policy/actor.ts'
import { requireAccount } from '../../accounts/access.ts'
import { didOf } from '../../atproto/service.ts'
import { recordAudit } from '../../audit/service.ts'
import { type Compacted, compact } from '../delivery/retention.ts'
import { mlsErrors } from '../errors.ts'
import { findConvo, listConvoTotals } from '../store/convos.ts'
import { listDevicesOf } from '../store/devices.ts'
import { countAvailable } from '../store/key-packages.ts'
import { viewConvos } from './view.ts'

// What administrators see of encrypted conversations: sizes and people, never content.

export interface ConvoTotals {
  readonly id: string
  readonly epoch: number
  readonly members: number
  readonly messages: number
  readonly bytes: number
  readonly createdAt: string
}

/** All conversations with their sizes, newest first. */
export async function listAllConvos(ctx: Pick<Ctx, 'db'>, actor: Actor): Promise<ConvoTotals[]> {
  const rows = await listConvoTotals(ctx.db.read, actor.tenantId)
  return rows.map((row) => ({
    id: row.id,
    epoch: row.epoch,
    members: row.members,
    messages: row.messages,
    bytes: row.bytes,
    createdAt: row.created_at,
  }))
}

export async function describeConvo(
  ctx: Pick<Ctx, 'db' | 'config'>,
  actor: Actor,
  input: { readonly convo: string },
) {
  const convo = await findConvo(ctx.db.read, actor.tenantId, input.convo)
  if (!convo) throw new AppError(mlsErrors.convoNotFound)
  const [view] = await viewConvos(ctx, ctx.db.read, [convo])
  if (!view) throw new AppError(mlsErrors.convoNotFound)
  return view
}

export interface DeviceSummary {
  readonly id: string
  readonly did: string
  readonly name: string | null
  readonly lastSeenAt: string
  readonly keyPackages: number
}

/** A person's devices and how many key packages each has left. */
export async function describeDevices(
  ctx: Pick<Ctx, 'db' | 'config' | 'clock'>,
  actor: Actor,
  input: { readonly user: string },
): Promise<DeviceSummary[]> {
  const { read } = ctx.db
  const user = await requireAccount(read, actor.tenantId, input.user)
  const stock = await countAvailable(read, [user.id], toIso(ctx.clock.now()))
  return (await listDevicesOf(read, user.id)).map((device) => ({
    id: device.id,
    did: didOf(ctx, user),
    name: device.name,
    lastSeenAt: device.last_seen_at,
    keyPackages: stock
      .filter((one) => one.device_id === device.id)
      .reduce((sum, { count }) => sum + count, 0),
  }))
}

/** Runs the hourly compaction job now. */
export async function compactNow(
  ctx: Pick<Ctx, 'db' | 'clock' | 'config' | 'ids'>,
  actor: Actor,
): Promise<Compacted> {
  const compacted = await compact(ctx)
  await ctx.db.transaction((tx) =>
    recordAudit(ctx, tx, actor, { type: 'mls.compacted', details: { ...compacted } }),
  )
  return compacted
}
