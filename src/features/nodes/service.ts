import type { Tx } from '../../db/database.ts'
import { type DueNodes, lockDue, shrinkVaults } from './store-retention.ts'
import { deleteWithDependents } from './write.ts'

export { countDueNodes, type DueNodes } from './store-retention.ts'

/** Deletes a page of nodes whose retention has expired with all their dependent rows; returns how many. */
export async function deleteDueNodes(
  tx: Tx,
  due: DueNodes,
  heldOwners: readonly string[],
  most: number,
): Promise<number> {
  const rows = await lockDue(tx, due, heldOwners, most)
  if (rows.length === 0) return 0
  const keys = rows.map(({ key }) => key)
  await deleteWithDependents(tx, keys)
  const byOwner = Map.groupBy(rows, (row) => row.owner_id)
  const ownersByCount = Map.groupBy(byOwner, ([, own]) => own.length)
  for (const [count, owners] of ownersByCount) {
    await shrinkVaults(
      tx,
      owners.map(([ownerId]) => ownerId),
      count,
    )
  }
  return rows.length
}
