import type { Tx } from '../../db/database.ts'
import { type DueNodes, holdDue } from './store-retention.ts'
import { deleteHeld } from './write.ts'

export { countDueNodes, type DueNodes } from './store-retention.ts'

/** Deletes a page of nodes whose retention has expired with all their dependent rows; returns how many. */
export async function deleteDueNodes(
  tx: Tx,
  due: DueNodes,
  heldOwners: readonly string[],
  most: number,
): Promise<number> {
  const keys = await holdDue(tx, due, heldOwners, most)
  await deleteHeld(tx, keys)
  return keys.length
}
