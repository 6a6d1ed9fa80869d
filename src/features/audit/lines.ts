import type { AuditCheckpointRow } from '../../db/tables.ts'
import type { SignedPruning } from './store-checkpoints.ts'
import type { LinkWithEvent } from './walk.ts'

/** One line of the log as it is sent to a sink or exported. */
export type AuditLine = EventLine | CheckpointLine | PruningLine
export type EventLine = ReturnType<typeof eventLine>
export type CheckpointLine = ReturnType<typeof checkpointLine>
export type PruningLine = ReturnType<typeof pruningLine>

/** A chained event with everything that its hash covers, so that a reader can verify it. */
function eventLine(link: LinkWithEvent) {
  return {
    v: 1 as const,
    kind: 'event' as const,
    position: link.position,
    id: link.event_id,
    time: link.created_at ?? '',
    tenant: link.tenant_id ?? '',
    type: link.type ?? '',
    outcome: link.outcome ?? 'error',
    actor: { kind: link.actor_kind ?? '', id: link.actor_id, sessionId: link.session_id },
    target: { type: link.target_type, id: link.target_id },
    operation: link.operation ?? '',
    ip: link.ip,
    userAgentHash: link.user_agent_hash,
    requestId: link.request_id ?? '',
    details: JSON.parse(link.details ?? '{}') as Record<string, unknown>,
    previousHash: link.previous_hash,
    hash: link.hash,
  }
}

function checkpointLine(mark: AuditCheckpointRow) {
  return {
    v: 1 as const,
    kind: 'checkpoint' as const,
    sequence: mark.sequence,
    position: mark.chain_position,
    hash: mark.chain_hash,
    time: mark.created_at,
    previous: mark.previous,
    publicKey: mark.public_key,
    signature: mark.signature,
  }
}

/** Says why the log begins after a position: everything up to it was pruned by retention. */
function pruningLine(pruning: SignedPruning) {
  return {
    v: 1 as const,
    kind: 'pruning' as const,
    position: pruning.chain_position,
    checkpoint: pruning.checkpoint,
    hash: pruning.chain_hash,
    eventsBefore: pruning.events_before,
    time: pruning.created_at,
    publicKey: pruning.public_key,
    signature: pruning.signature,
  }
}

const RANKS = { event: 0, checkpoint: 1, pruning: 2 } satisfies Record<AuditLine['kind'], number>

/**
 * Events in order, each checkpoint right after the event it signs, and the pruning right before the first
 * event of the log.
 */
export function inOrder(
  links: readonly LinkWithEvent[],
  marks: readonly AuditCheckpointRow[],
  pruning: SignedPruning | undefined,
): AuditLine[] {
  const events = links.map(eventLine)
  const signatures = marks.map(checkpointLine)
  const start = pruning ? [pruningLine(pruning)] : []
  const rank = ({ kind }: AuditLine) => RANKS[kind]
  return [...events, ...signatures, ...start].sort(
    (a, b) => a.position - b.position || rank(a) - rank(b),
  )
}

/** The row that `eventLine` was made from. */
export function linkOf(line: EventLine): LinkWithEvent {
  return {
    position: line.position,
    event_id: line.id,
    previous_hash: line.previousHash,
    hash: line.hash,
    id: line.id,
    created_at: line.time,
    tenant_id: line.tenant,
    type: line.type,
    outcome: line.outcome,
    actor_kind: line.actor.kind,
    actor_id: line.actor.id,
    session_id: line.actor.sessionId,
    target_type: line.target.type,
    target_id: line.target.id,
    operation: line.operation,
    ip: line.ip,
    user_agent_hash: line.userAgentHash,
    request_id: line.requestId,
    details: JSON.stringify(line.details),
  }
}

/** The row that `checkpointLine` was made from, without the key id. */
export function checkpointOf(line: CheckpointLine): Omit<AuditCheckpointRow, 'key_id'> {
  return {
    sequence: line.sequence,
    chain_position: line.position,
    chain_hash: line.hash,
    created_at: line.time,
    previous: line.previous,
    public_key: line.publicKey,
    signature: line.signature,
  }
}

/** The row that `pruningLine` was made from, without the key id. */
export function pruningOf(line: PruningLine): Omit<SignedPruning, 'key_id'> {
  return {
    chain_position: line.position,
    checkpoint: line.checkpoint,
    chain_hash: line.hash,
    events_before: line.eventsBefore,
    created_at: line.time,
    public_key: line.publicKey,
    signature: line.signature,
  }
}
