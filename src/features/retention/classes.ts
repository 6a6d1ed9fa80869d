import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { DAY, toIso } from '../../platform/clock.ts'
import type { Actor } from '../../policy/actor.ts'
import { countPrunable, pruneAudit, recordAudit } from '../audit/service.ts'
import { countMarks, countOlder, deleteMarks, listOlder } from '../messages/access.ts'
import { wipeMessages } from '../messages/service.ts'
import { countReceiptsBefore, deleteReceiptsBefore } from '../privacy/access.ts'
import { countResolvedBefore, deleteResolvedBefore } from '../reports/access.ts'
import type { Held } from './access.ts'

/** Few enough that writers hardly wait for one transaction. */
const PAGE = 200
/**
 * A deleted message's mark is needed while its event may still be asked for: 30 days
 * (src/app/prune.ts), and one more.
 */
const MARK_DAYS = 31
const REPORT_DAYS = 365
/** Three years: as long as claims are usually made. */
const RECEIPT_DAYS = 3 * 365

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'config'>

/** A kind of data that is deleted when its time is over. */
export interface RetentionClass {
  readonly name: string
  /** Days that it is kept; 0: for good. */
  days(ctx: Needs): number
  /** How much would be deleted now. */
  due(ctx: Needs, held: Held): Promise<number>
  /** Deletes it in small transactions, and gives how much that was. */
  run(ctx: Needs, held: Held, actor: Actor, signal: AbortSignal): Promise<number>
}

const before = (ctx: Needs, days: number) => toIso(ctx.clock.now() - days * DAY)

export const CLASSES: readonly RetentionClass[] = [
  {
    name: 'messages',
    days: (ctx) => ctx.config.retention.messageDays,
    due: (ctx, held) => {
      return countOlder(ctx.db.read, before(ctx, ctx.config.retention.messageDays), held)
    },
    run: runMessages,
  },
  {
    name: 'marks of deleted messages',
    days: () => MARK_DAYS,
    due: (ctx, held) => countMarks(ctx.db.read, before(ctx, MARK_DAYS), held),
    run: (ctx, held, _actor, signal) => {
      const end = before(ctx, MARK_DAYS)
      return inPages(ctx, signal, (tx) => deleteMarks(tx, end, held, PAGE))
    },
  },
  {
    name: 'resolved reports',
    days: () => REPORT_DAYS,
    due: (ctx, held) => countResolvedBefore(ctx.db.read, before(ctx, REPORT_DAYS), held.userIds),
    run: (ctx, held, _actor, signal) => {
      const end = before(ctx, REPORT_DAYS)
      return inPages(ctx, signal, (tx) => deleteResolvedBefore(tx, end, held.userIds, PAGE))
    },
  },
  {
    name: 'receipts of exports and erasures',
    days: () => RECEIPT_DAYS,
    due: (ctx) => countReceiptsBefore(ctx.db.read, before(ctx, RECEIPT_DAYS)),
    run: (ctx, _held, _actor, signal) => {
      const end = before(ctx, RECEIPT_DAYS)
      return inPages(ctx, signal, (tx) => deleteReceiptsBefore(tx, end, PAGE))
    },
  },
  {
    name: 'audit log',
    days: (ctx) => ctx.config.retention.auditDays,
    due: async (ctx, held) => (held.audit ? 0 : countPrunable(ctx)),
    run: async (ctx, held, actor, signal) => {
      if (held.audit) return 0
      return pruneAudit(ctx, (tx, entry) => recordAudit(ctx, tx, actor, entry), signal)
    },
  },
]

/** As if each had been deleted by hand: absent devices are told, and attachments go along. */
async function runMessages(
  ctx: Needs,
  held: Held,
  _actor: Actor,
  signal: AbortSignal,
): Promise<number> {
  const end = before(ctx, ctx.config.retention.messageDays)
  let count = 0
  for (let after = ''; !signal.aborted; ) {
    const ids = await listOlder(ctx.db.read, end, held, { after, limit: PAGE })
    if (ids.length > 0) {
      count += (await ctx.db.transaction((tx) => wipeMessages(ctx, tx, ids))).length
    }
    if (ids.length < PAGE) break
    after = ids.at(-1) as string
  }
  return count
}

async function inPages(
  ctx: Needs,
  signal: AbortSignal,
  deletePage: (tx: Tx) => Promise<number>,
): Promise<number> {
  let count = 0
  while (!signal.aborted) {
    const deleted = await ctx.db.transaction(deletePage)
    count += deleted
    if (deleted < PAGE) break
  }
  return count
}
