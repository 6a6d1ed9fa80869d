import type { Generated, Selectable } from 'kysely'

/** The rows of the nodes slice: see `tables.ts`. */
export interface NodeTables {
  node_vaults: NodeVaultRow
  nodes: NodeTable
  node_terms: NodeTermRow
  node_edges: NodeEdgeRow
  node_locks: NodeLockRow
  confirmations: ConfirmationRow
}

/** One owner's part of the nodes. Without this row's key they and their terms say nothing. */
export interface NodeVaultRow {
  owner_id: string
  tenant_id: string
  /** The message key that sealed the vault's own. */
  key_id: string
  sealed: Buffer
  node_count: number
}

export type NodeRow = Selectable<NodeTable>

export interface NodeTable {
  /** In the order of making. */
  key: Generated<number>
  tenant_id: string
  owner_id: string
  /** What the owner and their clients call it; unique with one owner. */
  id: string
  type: string
  /** The properties as JSON, sealed with the owner's key. */
  sealed: Buffer
  created_at: string
  updated_at: string
  /** When a TODO was completed or a list put away; null while it is open, and in every other node. */
  completed_at: string | null
}

/** That a word or a property's value is in a node, said with a keyed hash: the word itself is nowhere. */
export interface NodeTermRow {
  /** Made with the owner's key, so that two owners never have the same. */
  term: string
  node_key: number
  tenant_id: string
}

export interface NodeEdgeRow {
  id: string
  tenant_id: string
  owner_id: string
  source_key: number
  target_key: number
  type: string
  /** The properties as JSON, sealed with the owner's key. */
  sealed: Buffer
  created_at: string
}

/** An agent that works on a node, so that no other does at the same time. */
export interface NodeLockRow {
  node_key: number
  tenant_id: string
  owner_id: string
  agent_id: string
  locked_at: string
  expires_at: string
}

/** A destructive call that was asked for once and waits for its repetition. */
export interface ConfirmationRow {
  token_hash: string
  tenant_id: string
  user_id: string
  action: string
  input_hash: string
  expires_at: string
}
