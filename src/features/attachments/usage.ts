import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { AppError } from '../../platform/errors.ts'
import { attachmentErrors } from './errors.ts'
import { addUsage, type Removed, takeUsage, totalUsage } from './store.ts'

type Owner = Pick<Removed, 'tenant_id' | 'owner_id'>

/** Reserves bytes of a person's quota and of the server's, or throws `quota_exceeded`. */
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
  // Uploads that begin on several nodes at the same moment may exceed it by their announced sizes.
  if (totalBytes !== undefined && (await totalUsage(tx)) > totalBytes) {
    throw new AppError(attachmentErrors.quotaExceeded)
  }
}

/** Frees the bytes of removed attachments: one statement per owner. */
export async function release(tx: Tx, removed: readonly Removed[]): Promise<void> {
  const byOwner = new Map<string, number>()
  for (const { owner_id, size } of removed) {
    byOwner.set(owner_id, (byOwner.get(owner_id) ?? 0) + size)
  }
  // Always in the same order, so that two nodes wait for each other and never deadlock.
  for (const ownerId of [...byOwner.keys()].sort()) {
    await takeUsage(tx, ownerId, byOwner.get(ownerId) as number)
  }
}
