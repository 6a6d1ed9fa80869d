import { setImmediate } from 'node:timers/promises'
import type { Ctx } from '../../context.ts'
import type { Person, PersonalData } from '../../db/personal-data.ts'
import type { NodeRow } from '../../db/tables.ts'
import { edgesOf } from './edges.ts'
import { toNode } from './read.ts'
import { findNodesByKey } from './store.ts'
import { deleteAllOf, listEdgesOf, listNodesOf } from './store-personal.ts'
import { findVaultOf, type Vault } from './vault.ts'

/** Rows per query: a few milliseconds. */
const LOOK = 500

export const nodeData: PersonalData<Ctx> = {
  tables: ['node_vaults', 'nodes', 'node_terms', 'node_edges', 'node_locks', 'confirmations'],
  async *collect(ctx, person) {
    const vault = await findVaultOf(ctx, ctx.db.read, person.userId)
    if (!vault) return
    yield { file: 'nodes.json', rows: nodesOf(ctx, vault, person) }
    yield { file: 'node-edges.json', rows: edgesOfAll(ctx, vault, person) }
  },
  /** Without the vault's key nothing can be read, whatever copies of the rows may remain. */
  erase: (_ctx, tx, { userId }) => deleteAllOf(tx, userId),
}

async function* nodesOf(ctx: Ctx, vault: Vault, { userId }: Person) {
  for (let after = 0; ; ) {
    const rows: NodeRow[] = await listNodesOf(ctx.db.read, userId, after, LOOK)
    if (rows.length > 0) yield rows.map((row) => toNode(vault, row))
    if (rows.length < LOOK) return
    after = rows.at(-1)?.key ?? after
    // Let other requests run.
    await setImmediate()
  }
}

async function* edgesOfAll(ctx: Ctx, vault: Vault, { userId }: Person) {
  for (let after = ''; ; ) {
    const edges = await listEdgesOf(ctx.db.read, userId, after, LOOK)
    const keys = [...new Set(edges.flatMap((edge) => [edge.source_key, edge.target_key]))]
    const nodes = await findNodesByKey(ctx.db.read, keys)
    if (edges.length > 0) {
      yield edgesOf(vault, edges, new Map(nodes.map((node) => [node.key, node])))
    }
    if (edges.length < LOOK) return
    after = edges.at(-1)?.id ?? after
    await setImmediate()
  }
}
