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

/** One owner's vault. Without the key in this row, the owner's nodes and terms are unreadable. */
export interface NodeVaultRow {
  owner_id: string
  tenant_id: string
  /** The message key that sealed the vault's own key. */
  key_id: string
  sealed: Buffer
  node_count: number
  /** Sum of the owner's nodes and edges. */
  bytes: number
}

export type NodeRow = Selectable<NodeTable>

export interface NodeTable {
  /** Grows in the order of creation. */
  key: Generated<number>
  tenant_id: string
  owner_id: string
  /** The id that the owner and their clients use; unique per owner. */
  id: string
  type: string
  /** The properties as JSON, sealed with the owner's key. */
  sealed: Buffer
  created_at: string
  updated_at: string
  /** When a TODO was completed or a list archived; null while it is open, and in every other node. */
  completed_at: string | null
  /** What the node counts towards its owner's quota. */
  bytes: number
}

/** Records that a node contains a word or property value, as a keyed hash: the word itself is not stored. */
export interface NodeTermRow {
  /** Keyed per owner, so that two owners never share a term. */
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
  /** What the edge counts towards its owner's quota. */
  bytes: number
}

/** Held by the agent working on a node, so that no other does at the same time. */
export interface NodeLockRow {
  node_key: number
  tenant_id: string
  owner_id: string
  agent_id: string
  locked_at: string
  expires_at: string
}

/** A destructive call that was requested once and must be repeated to take effect. */
export interface ConfirmationRow {
  token_hash: string
  tenant_id: string
  user_id: string
  action: string
  input_hash: string
  expires_at: string
}
