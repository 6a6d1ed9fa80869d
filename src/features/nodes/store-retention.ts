import type { ExpressionBuilder } from 'kysely'
import type { Db, Tx } from '../../db/database.ts'
import { lockOnly } from '../../db/lock-only.ts'
import type { Tables } from '../../db/tables.ts'
import { TODO, TODO_LIST } from './schema-todos.ts'

/** Selects nodes whose retention has expired. */
export type DueNodes =
  /** TODOs completed, or lists archived, before the time; open ones are never due. */
  | { readonly type: typeof TODO | typeof TODO_LIST; readonly completedBefore: string }
  /** Other nodes unchanged since the time: of one type, or of all types except some. */
  | { readonly type: string; readonly unchangedSince: string }
  | { readonly except: readonly string[]; readonly unchangedSince: string }

type Where = ExpressionBuilder<Tables, 'nodes'>

function isDue(due: DueNodes, heldOwners: readonly string[]) {
  return (where: Where) =>
    where.and([
      'completedBefore' in due
        ? where('completed_at', '<', due.completedBefore)
        : where('updated_at', '<', due.unchangedSince),
      'type' in due
        ? where('type', '=', due.type)
        : where('type', 'not in', [TODO, TODO_LIST, ...due.except]),
      ...(heldOwners.length > 0 ? [where('owner_id', 'not in', heldOwners)] : []),
    ])
}

export async function countDueNodes(
  db: Db,
  due: DueNodes,
  heldOwners: readonly string[],
): Promise<number> {
  const row = await db
    .selectFrom('nodes')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where(isDue(due, heldOwners))
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** The keys of some of them, locked until the transaction ends. */
export async function lockDue(
  tx: Tx,
  due: DueNodes,
  heldOwners: readonly string[],
  most: number,
): Promise<number[]> {
  const some = tx.selectFrom('nodes').select('key').where(isDue(due, heldOwners)).limit(most)
  const rows = await tx
    .updateTable('nodes')
    .set(lockOnly('updated_at'))
    .where('key', 'in', some)
    // Checked again: a row that another transaction held may have changed.
    .where(isDue(due, heldOwners))
    .returning('key')
    .execute()
  return rows.map((row) => row.key)
}
