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

/** Few enough that writers hardly wait for one transaction. */
const PAGE = 200
/**
 * A deleted message's mark is needed while its event may still be asked for: 30 days
 * (src/app/prune.ts), and one more.
 */
const MARK_DAYS = 31
const REPORT_DAYS = 365
const KEY_DAYS = 365
/** After they expired, as `cleanUpSessions` has it. */
const SESSION_DAYS = 1
/** Three years: as long as claims are usually made. */
const RECEIPT_DAYS = 3 * 365

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'config' | 'keyring'>

/** A kind of data that is deleted when its time is over. */
export interface RetentionClass {
  readonly name: string
  /** Days that it is kept; 0: for good. */
  readonly days: number
  /** How much would be deleted now. */
  due(held: Held): Promise<number>
  /** Deletes it in small transactions, and gives how much that was. */
  run(actor: Actor, signal: AbortSignal): Promise<number>
}

/** Every class there is, with the days that the administrator chose. */
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

/** A class of rows that just go. Holds are asked for with each page: one may be placed meanwhile. */
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

/** As if each had been deleted by hand: absent devices are told, and attachments go along. */
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

/** A job of theirs takes them away too, as often. */
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
