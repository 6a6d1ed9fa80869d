import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { AppError } from '../../platform/errors.ts'
import { nodeErrors } from './errors.ts'
import { growVault, shrinkVault } from './store.ts'

/** Most nodes of one owner; more would call for another kind of database. */
const MAX_NODES = 250_000
/** About what a row takes besides its properties: ids, times and its places in the table's indexes. */
const ROW_BYTES = 400
/** About what an entry in the index of terms takes. */
const TERM_BYTES = 100

/** What a node or an edge counts towards its owner's quota: about what it takes on the disk. */
export function bytesOf(sealed: Uint8Array, terms: readonly string[] = []): number {
  return sealed.byteLength + ROW_BYTES + terms.length * TERM_BYTES
}

/** Counts what is added towards the owner's quota, or throws `well_full`. What shrinks is never refused. */
export async function reserve(
  { config }: Pick<Ctx, 'config'>,
  tx: Tx,
  ownerId: string,
  added: { readonly nodes: number; readonly bytes: number },
): Promise<void> {
  const most = { nodes: MAX_NODES, bytes: config.memoryQuotaBytes }
  if (!(await growVault(tx, ownerId, added, most))) {
    throw new AppError(nodeErrors.full, { maxNodes: most.nodes, maxBytes: most.bytes })
  }
}

interface Removed {
  readonly owner_id: string
  readonly bytes: number
}

/** Counts removed rows out of their owners' quotas: one statement per owner. */
export async function release(
  tx: Tx,
  { nodes = [], edges = [] }: { nodes?: readonly Removed[]; edges?: readonly Removed[] },
): Promise<void> {
  const nodesOf = Map.groupBy(nodes, (row) => row.owner_id)
  const rowsOf = Map.groupBy([...nodes, ...edges], (row) => row.owner_id)
  // Always in the same order, so that two transactions wait for each other and never deadlock.
  for (const ownerId of [...rowsOf.keys()].sort()) {
    const rows = rowsOf.get(ownerId) ?? []
    const bytes = rows.reduce((sum, row) => sum + row.bytes, 0)
    await shrinkVault(tx, ownerId, { nodes: nodesOf.get(ownerId)?.length ?? 0, bytes })
  }
}
