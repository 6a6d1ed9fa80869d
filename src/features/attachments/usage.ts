import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { AppError } from '../../platform/errors.ts'
import { attachmentErrors } from './errors.ts'
import { addUsage, type Removed, takeUsage, totalUsage } from './store.ts'

type Owner = Pick<Removed, 'tenant_id' | 'owner_id'>

/** Takes bytes of a person's quota and of the server's, or refuses with `quota_exceeded`. */
export async function reserve(
  ctx: Pick<Ctx, 'config'>,
  tx: Tx,
  owner: Owner,
  bytes: number,
): Promise<void> {
  const { userQuotaBytes, totalBytes } = ctx.config.attachments
  if (!(await addUsage(tx, owner, bytes, userQuotaBytes))) {
    throw new AppError(attachmentErrors.quotaExceeded, { max: userQuotaBytes })
  }
  // Uploads that begin on several nodes in the same moment may go over it by what they announced.
  if (totalBytes !== undefined && (await totalUsage(tx)) > totalBytes) {
    throw new AppError(attachmentErrors.quotaExceeded)
  }
}

/** Gives back what removed attachments took: one statement an owner. */
export async function release(tx: Tx, removed: readonly Removed[]): Promise<void> {
  const byOwner = new Map<string, number>()
  for (const { owner_id, size } of removed) {
    byOwner.set(owner_id, (byOwner.get(owner_id) ?? 0) + size)
  }
  // In one order everywhere, so that two nodes wait for each other instead of locking up.
  for (const ownerId of [...byOwner.keys()].sort()) {
    await takeUsage(tx, ownerId, byOwner.get(ownerId) as number)
  }
}
