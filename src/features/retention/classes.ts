import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { DAY, toIso } from '../../platform/clock.ts'
import type { Actor } from '../../policy/actor.ts'
import { countEndedBefore, deleteEndedBefore } from '../api-keys/access.ts'
import { countPrunable, pruneAudit, recordAudit } from '../audit/service.ts'
import { countMarks, countOlder, deleteMarks, listOlder } from '../messages/access.ts'
import { wipeMessages } from '../messages/service.ts'
import { countDueNodes, type DueNodes, deleteDueNodes } from '../nodes/service.ts'
import {
  countConsentsOfErased,
  countReceiptsBefore,
  deleteConsentsOfErased,
  deleteReceiptsBefore,
} from '../privacy/access.ts'
import { countResolvedBefore, deleteResolvedBefore } from '../reports/access.ts'
import { countExpired } from '../sessions/access.ts'
import { cleanUpSessions } from '../sessions/service.ts'
import { findHeld, type Held } from './access.ts'

/** Small enough that one transaction hardly delays writers. */
const PAGE = 200
/**
 * A deleted message's tombstone is needed while its event may still be requested: 30 days (src/app/prune.ts),
 * plus one.
 */
const MARK_DAYS = 31
const REPORT_DAYS = 365
const KEY_DAYS = 365
/** Days after they expired, as in `cleanUpSessions`. */
const SESSION_DAYS = 1
/** Three years: the usual limitation period for claims. */
const RECEIPT_DAYS = 3 * 365

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'config' | 'keyring'>

/** A kind of data that is deleted after its retention period. */
export interface RetentionClass {
  readonly name: string
  /** Retention period in days; 0: kept for good. */
  readonly days: number
  /** How many rows would be deleted now. */
  due(held: Held): Promise<number>
  /** Deletes them in small transactions; returns how many. */
  run(actor: Actor, signal: AbortSignal): Promise<number>
}

/** All classes, with the configured retention periods. */
export function listClasses(ctx: Needs): RetentionClass[] {
  const { retention } = ctx.config
  const { db } = ctx
  return [
    messages(ctx, retention.messageDays),
    inPages(ctx, 'marks of deleted messages', MARK_DAYS, (before) => ({
      count: (held) => countMarks(db.read, before, held),
      deletePage: (tx, held) => deleteMarks(tx, before, held, PAGE),
    })),
    nodes(ctx, 'completed TODOs', retention.todoDays, (before) => ({
      type: 'todo',
      completedBefore: before,
    })),
    nodes(ctx, 'archived TODO lists', retention.todoListDays, (before) => ({
      type: 'todoList',
      completedBefore: before,
    })),
    ...Object.entries(retention.nodeDaysByType).map(([type, days]) =>
      nodes(ctx, `nodes of type ${type}`, days, (unchangedSince) => ({ type, unchangedSince })),
    ),
    nodes(ctx, 'memories and other nodes', retention.nodeDays, (unchangedSince) => ({
      except: Object.keys(retention.nodeDaysByType),
      unchangedSince,
    })),
    inPages(ctx, 'resolved reports', REPORT_DAYS, (before) => ({
      count: (held) => countResolvedBefore(db.read, before, held),
      deletePage: (tx, held) => deleteResolvedBefore(tx, before, held, PAGE),
    })),
    inPages(ctx, 'revoked and expired API keys', KEY_DAYS, (before) => ({
      count: (held) => countEndedBefore(db.read, before, held.userIds),
      deletePage: (tx, held) => deleteEndedBefore(tx, before, held.userIds, PAGE),
    })),
    inPages(ctx, 'receipts of exports and erasures', RECEIPT_DAYS, (before) => ({
      count: () => countReceiptsBefore(db.read, before),
      deletePage: (tx) => deleteReceiptsBefore(tx, before, PAGE),
    })),
    inPages(ctx, 'consents of erased accounts', RECEIPT_DAYS, (before) => ({
      count: () => countConsentsOfErased(db.read, before),
      deletePage: (tx) => deleteConsentsOfErased(tx, before, PAGE),
    })),
    endedSessions(ctx),
    auditLog(ctx, retention.auditDays),
  ]
}

interface Pages {
  count(held: Held): Promise<number>
  deletePage(tx: Tx, held: Held): Promise<number>
}

/** A class of plain rows. Holds are read again for each page, since one may be placed meanwhile. */
function inPages(
  ctx: Needs,
  name: string,
  days: number,
  pagesBefore: (before: string) => Pages,
): RetentionClass {
  const pages = pagesBefore(timeBefore(ctx, days))
  return {
    name,
    days,
    due: pages.count,
    async run(_actor, signal) {
      let count = 0
      while (!signal.aborted) {
        const deleted = await ctx.db.transaction(async (tx) =>
          pages.deletePage(tx, await findHeld(tx)),
        )
        count += deleted
        if (deleted < PAGE) break
      }
      return count
    },
  }
}

function nodes(
  ctx: Needs,
  name: string,
  days: number,
  dueBefore: (before: string) => DueNodes,
): RetentionClass {
  return inPages(ctx, name, days, (before) => ({
    count: (held) => countDueNodes(ctx.db.read, dueBefore(before), held.userIds),
    deletePage: (tx, held) => deleteDueNodes(tx, dueBefore(before), held.userIds, PAGE),
  }))
}

/** As if each had been deleted by a user: absent devices are notified, and attachments are deleted too. */
function messages(ctx: Needs, days: number): RetentionClass {
  const before = timeBefore(ctx, days)
  return {
    name: 'messages',
    days,
    due: (held) => countOlder(ctx.db.read, before, held),
    async run(_actor, signal) {
      let count = 0
      for (let after = ''; !signal.aborted; ) {
        const ids = await ctx.db.transaction(async (tx) => {
          const page = await listOlder(tx, before, await findHeld(tx), { after, limit: PAGE })
          count += (await wipeMessages(ctx, tx, page)).length
          return page
        })
        if (ids.length < PAGE) break
        after = ids.at(-1) as string
      }
      return count
    },
  }
}

/** The sessions' own job deletes them as well, just as often. */
function endedSessions(ctx: Needs): RetentionClass {
  return {
    name: 'ended sessions',
    days: SESSION_DAYS,
    due: (held) => countExpired(ctx.db.read, timeBefore(ctx, SESSION_DAYS), held.userIds),
    run: () => cleanUpSessions(ctx),
  }
}

function auditLog(ctx: Needs, days: number): RetentionClass {
  return {
    name: 'audit log',
    days,
    due: async (held) => (held.audit ? 0 : countPrunable(ctx)),
    async run(actor, signal) {
      if ((await findHeld(ctx.db.read)).audit) return 0
      return pruneAudit(ctx, (tx, entry) => recordAudit(ctx, tx, actor, entry), signal)
    },
  }
}

function timeBefore({ clock }: Needs, days: number): string {
  return toIso(clock.now() - days * DAY)
}
