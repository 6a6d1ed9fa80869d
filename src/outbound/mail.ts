import type { SmtpConfig } from '../config/config.ts'
import { afterCommit, type Database, type Tx } from '../db/database.ts'
import type { QueuedMailRow } from '../db/tables.ts'
import { type Clock, DAY, HOUR, MINUTE, SECOND, toIso } from '../platform/clock.ts'
import { waitFor, within } from '../platform/deadline.ts'
import { reasonOf } from '../platform/errors.ts'
import type { Ids } from '../platform/ids.ts'
import type { Keyring } from '../platform/keyring.ts'
import type { Logger } from '../platform/log.ts'
import { open, seal } from '../platform/secret-box.ts'
import { spread } from '../platform/spread.ts'
import { claimDue, deleteMail, insertMail, isAnyDue, postponeMail } from './mail-queue.ts'
import { createSmtp, isFinal, logFieldsOf, type Mail, SMTP_CONNECTIONS } from './smtp.ts'

export type { Mail } from './smtp.ts'

/** How long a claim lasts if its node dies; a live node renews it while sending. */
const CLAIM = 20 * SECOND
const RENEWAL = 7 * SECOND
const MAX_TRY = 2 * MINUTE
const FIRST_PAUSE = 5 * SECOND
const MAX_PAUSE = HOUR
/** After this a mail that could not be sent is dropped. */
const KEPT = DAY

/** Delivers mail to the mail server at least once, even across a crash. */
export interface Mailer {
  /** Queues a mail in the caller's transaction: it is sent if, and only if, that commits. */
  queue(tx: Tx, tenantId: string, mail: Mail): Promise<void>
  /** Starts sending due mail and returns at once, so that a slow mail server delays no caller. */
  wake(): void
  /** Stops taking mail, waits at most `timeoutMs` for what is being sent, and closes the connections. */
  close(timeoutMs: number): Promise<void>
}

export interface MailerOptions {
  readonly smtp: SmtpConfig
  readonly db: Database
  readonly clock: Clock
  readonly ids: Ids
  readonly keyring: Keyring
  readonly log: Logger
}

/** Binds the seal to the row: a mail moved to another row does not open. */
const contextOf = (id: string) => `mail:${id}`

export function createMailer({ smtp, db, clock, ids, keyring, log }: MailerOptions): Mailer {
  const server = createSmtp(smtp)
  let closed = false
  let running: Promise<void> | undefined
  let wokenAgain = false
  let rouse = () => {}

  /** Sends until no mail is due, over all connections at once: one that takes long holds up no other. */
  async function sendDue(): Promise<void> {
    const underWay = new Map<string, Promise<void>>()
    try {
      for (;;) {
        wokenAgain = false
        const woken = new Promise<void>((resolve) => {
          rouse = resolve
        })
        const free = SMTP_CONNECTIONS - underWay.size
        for (const row of await claim(free, [...underWay.keys()])) {
          const work = deliver(row)
            .catch(noteFailure)
            .finally(() => underWay.delete(row.id))
          underWay.set(row.id, work)
        }
        if (underWay.size === 0) return
        await Promise.race([woken, ...underWay.values()])
      }
    } finally {
      await Promise.all(underWay.values())
    }
  }

  async function claim(most: number, sending: readonly string[]): Promise<QueuedMailRow[]> {
    const now = clock.now()
    if (closed || most === 0 || !(await isAnyDue(db.read, toIso(now)))) return []
    return db.transaction((tx) => claimDue(tx, toIso(now), toIso(now + CLAIM), most, sending))
  }

  function noteFailure(error: unknown): void {
    if (!closed) log.error({ err: error }, 'the mail queue could not be processed')
  }

  async function deliver(row: QueuedMailRow): Promise<void> {
    const names = { mailId: row.id, attempt: row.attempts }
    const mail = openMail(row)
    if (!mail) return db.transaction((tx) => deleteMail(tx, row.id))
    const claim = keepClaim(row)
    try {
      await within(MAX_TRY, server.send(row.id, mail), tookTooLong).finally(claim.release)
    } catch (error) {
      const tooOld = clock.now() - Date.parse(row.created_at) >= KEPT
      if (isFinal(error) || tooOld) {
        log.error(
          { ...names, ...logFieldsOf(error) },
          'an e-mail could not be sent and was given up on',
        )
        return db.transaction((tx) => deleteMail(tx, row.id))
      }
      log.warn(
        { ...names, ...logFieldsOf(error) },
        'an e-mail could not be sent; trying again later',
      )
      const nextTryAt = toIso(clock.now() + pauseAfter(row.attempts))
      return db.transaction((tx) => postponeMail(tx, row.id, claim.until(), nextTryAt))
    }
    return db.transaction((tx) => deleteMail(tx, row.id))
  }

  /** Renews the claim on a mail until it is sent. */
  function keepClaim(row: QueuedMailRow) {
    let until = row.next_try_at
    let renewal = Promise.resolve()
    const timer = setInterval(() => {
      const next = toIso(clock.now() + CLAIM)
      renewal = db
        .transaction((tx) => postponeMail(tx, row.id, until, next))
        .then(() => {
          until = next
        })
        .catch((error) => log.warn({ err: error }, 'the claim on an e-mail could not be renewed'))
    }, RENEWAL)
    return {
      until: () => until,
      async release() {
        clearInterval(timer)
        await renewal
      },
    }
  }

  function openMail(row: QueuedMailRow): Mail | undefined {
    try {
      const key = keyring.find('message', row.key_id)
      if (!key) throw new Error('the key is not here')
      return JSON.parse(open(key, row.sealed, contextOf(row.id)))
    } catch (error) {
      log.error(
        { mailId: row.id, keyId: row.key_id, reason: reasonOf(error) },
        'an e-mail cannot be decrypted: dropped',
      )
      return undefined
    }
  }

  function wake(): void {
    if (closed) return
    if (running !== undefined) {
      wokenAgain = true
      rouse()
      return
    }
    running = sendDue()
      .catch(noteFailure)
      .finally(() => {
        running = undefined
        if (wokenAgain) wake()
      })
  }

  return {
    async queue(tx, tenantId, mail) {
      const id = ids.next()
      const sealed = seal(keyring.current('message'), JSON.stringify(mail), contextOf(id))
      const now = toIso(clock.now())
      await insertMail(tx, {
        id,
        tenant_id: tenantId,
        key_id: sealed.keyId,
        sealed: sealed.bytes,
        attempts: 0,
        created_at: now,
        next_try_at: now,
      })
      afterCommit(tx, wake)
    },
    wake,
    async close(timeoutMs) {
      closed = true
      await waitFor(timeoutMs, running ?? Promise.resolve()).catch(() => undefined)
      server.close()
    },
  }
}

/** Doubles with each attempt, up to an hour, with jitter. */
function pauseAfter(attempts: number): number {
  return spread(Math.min(MAX_PAUSE, FIRST_PAUSE * 2 ** (attempts - 1)))
}

function tookTooLong(): Error {
  return new Error('took too long')
}
