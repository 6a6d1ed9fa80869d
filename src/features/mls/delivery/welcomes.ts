import type { Ctx } from '../../../context.ts'
import { toIso } from '../../../platform/clock.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Actor, requireUser } from '../../../policy/actor.ts'
import { mlsErrors } from '../errors.ts'
import type { ConvoId } from '../schema.ts'
import { deleteWelcome, findWelcomeBody, listWelcomes, updateWelcome } from '../store/welcomes.ts'

interface OfDevice extends ConvoId {
  readonly deviceId?: string
  readonly keyPackageHash?: string
}

/** The Welcome waiting for one of the caller's devices. It is kept until it is confirmed. */
export async function getWelcome(ctx: Pick<Ctx, 'db'>, actor: Actor, input: OfDevice) {
  const { userId } = requireUser(actor)
  const { convoId, deviceId, keyPackageHash: ref } = input
  const [row] = await listWelcomes(ctx.db.read, convoId, userId, { deviceId, ref })
  const body = row && (await findWelcomeBody(ctx.db.read, row.welcome_id))
  if (!row || !body) throw new AppError(mlsErrors.welcomeNotFound)
  return {
    convoId,
    welcome: body.toString('base64'),
    keyPackageHash: row.key_package_ref,
    deviceId: row.device_id,
    epoch: row.epoch,
    joinedSeq: row.joined_seq,
  }
}

/**
 * Records whether a Welcome could be opened: if so it is deleted, otherwise it stays. Throws
 * `AmbiguousWelcome` if several are waiting and the request does not say which one is meant.
 */
export async function confirmWelcome(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  actor: Actor,
  input: OfDevice & { readonly success: boolean },
): Promise<{ confirmed: boolean }> {
  const { userId } = requireUser(actor)
  const { convoId, deviceId, keyPackageHash: ref, success } = input
  await ctx.db.transaction(async (tx) => {
    const [row, ...others] = await listWelcomes(tx, convoId, userId, { deviceId, ref })
    if (!row) throw new AppError(mlsErrors.welcomeNotFound)
    // Deleting another device's Welcome would keep that device out of the group.
    const isNamed = deviceId !== undefined || ref !== undefined
    if (!isNamed && others.length > 0) throw new AppError(mlsErrors.ambiguousWelcome)
    if (success) await deleteWelcome(tx, row)
    else await updateWelcome(tx, row, { failed_at: toIso(ctx.clock.now()) })
  })
  return { confirmed: success }
}
