import type { Tx } from '../../db/database.ts'
import { type DueNodes, lockDue } from './store-retention.ts'
import { deleteLocked } from './write.ts'

export { countDueNodes, type DueNodes } from './store-retention.ts'

/** Deletes a page of nodes whose retention has expired with all their dependent rows; returns how many. */
export async function deleteDueNodes(
  tx: Tx,
  due: DueNodes,
  heldOwners: readonly string[],
  most: number,
): Promise<number> {
  const keys = await lockDue(tx, due, heldOwners, most)
  await deleteLocked(tx, keys)
  return keys.length
}
