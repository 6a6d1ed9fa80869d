import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { DAY, toIso } from '../../platform/clock.ts'
import { signPruning } from './pruning.ts'
import type { AuditEntry } from './schema.ts'
import { chainFrom, countLinksTo, deleteLinks, newestTimeTo } from './store.ts'
import { insertPruning, newestCheckpointBefore, newestPruning } from './store-checkpoints.ts'
import { listSinks } from './store-sinks.ts'

/** Small enough that one transaction hardly delays writers. */
const PAGE = 500

type Needs = Pick<Ctx, 'db' | 'clock' | 'config'>
type Signs = Needs & Pick<Ctx, 'keyring'>

/** Records the pruning in the same transaction. */
type RecordPruning = (tx: Tx, entry: AuditEntry) => Promise<void>

interface Prunable {
  /** The last position that may be pruned; 0: none. */
  readonly position: number
  readonly checkpoint: number
  readonly hash: string
  readonly eventsBefore: string
}

const NOTHING: Prunable = { position: 0, checkpoint: 0, hash: '', eventsBefore: '' }

/**
 * How far the log may be pruned: up to a signed checkpoint older than the retention period, so that the rest
 * of the chain continues from a known, signed hash; and never past what a sink has received.
 */
async function findPrunable(ctx: Needs): Promise<Prunable> {
  const days = ctx.config.retention.auditDays
  if (days === 0) return NOTHING
  const eventsBefore = toIso(ctx.clock.now() - days * DAY)
  const mark = await newestCheckpointBefore(ctx.db.read, eventsBefore)
  if (!mark) return NOTHING
  const configured = new Set<string>(ctx.config.audit.sinks)
  const sinks = await listSinks(ctx.db.read)
  const waiting = sinks.some(({ name, position }) => {
    return configured.has(name) && position < mark.chain_position
  })
  const unknown = sinks.filter(({ name }) => configured.has(name)).length < configured.size
  if (waiting || unknown) return NOTHING
  return {
    position: mark.chain_position,
    checkpoint: mark.sequence,
    hash: mark.chain_hash,
    eventsBefore,
  }
}

export async function countPrunable(ctx: Needs): Promise<number> {
  const { position } = await findPrunable(ctx)
  return position === 0 ? 0 : countLinksTo(ctx.db.read, position)
}

/**
 * Prunes the old part of the log. First records the place from which the chain continues, which the store
 * requires before it lets a record be deleted; after a crash in between, the next run deletes the rest.
 */
export async function pruneAudit(
  ctx: Signs,
  record: RecordPruning,
  signal: AbortSignal,
): Promise<number> {
  const prunable = await findPrunable(ctx)
  if (prunable.position > 0) await announce(ctx, record, prunable)
  const last = (await newestPruning(ctx.db.read))?.chain_position ?? 0
  let count = 0
  for (let more = last > 0; more && !signal.aborted; ) {
    const taken = await ctx.db.transaction((tx) => takePage(tx, last))
    count += taken
    more = taken === PAGE
  }
  return count
}

async function announce(ctx: Signs, record: RecordPruning, prunable: Prunable): Promise<void> {
  await ctx.db.transaction(async (tx) => {
    await ctx.db.engine.lockAuditChain(tx)
    const before = (await newestPruning(tx))?.chain_position ?? 0
    if (before >= prunable.position) return
    const now = toIso(ctx.clock.now())
    // If the clock was ahead, events may be dated later than the checkpoint after them.
    const newest = await newestTimeTo(tx, prunable.position)
    const eventsBefore =
      newest < prunable.eventsBefore ? prunable.eventsBefore : toIso(Date.parse(newest) + 1)
    const fields = {
      chain_position: prunable.position,
      checkpoint: prunable.checkpoint,
      events_before: eventsBefore,
      created_at: now,
    }
    const signed = signPruning(ctx.keyring, { ...fields, chain_hash: prunable.hash })
    await insertPruning(tx, { ...fields, ...signed })
    await record(tx, {
      type: 'audit.pruned',
      details: { toPosition: prunable.position, checkpoint: prunable.checkpoint },
    })
  })
}

async function takePage(tx: Tx, last: number): Promise<number> {
  const links = (await chainFrom(tx, 0, PAGE)).filter((link) => link.position <= last)
  if (links.length > 0) await deleteLinks(tx, links)
  return links.length
}
