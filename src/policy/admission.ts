import { AppError, definePageErrors } from '../platform/errors.ts'
import type { Actor } from './actor.ts'

/** Why the server takes less than usual from everybody. */
export type Closure =
  /** Nothing but health: an emergency. */
  | 'closed'
  /** Reading alone: an emergency. */
  | 'read-only'
  /** Reading alone, as long as what happens cannot be recorded where it has to be. */
  | 'audit'

export const admissionErrors = definePageErrors({
  locked: {
    code: 'locked_down',
    kind: 'unavailable',
    message: 'The administrator has closed the server for now.',
    translated: { tr: 'Yönetici sunucuyu şimdilik kapattı.' },
  },
  readOnly: {
    code: 'read_only',
    kind: 'unavailable',
    message: 'Nothing can be changed for now.',
    translated: { tr: 'Şimdilik hiçbir şey değiştirilemez.' },
  },
  audit: {
    code: 'audit_unavailable',
    kind: 'unavailable',
    message: 'Nothing can be changed while the audit log cannot be written.',
    translated: { tr: 'Denetim günlüğü yazılamadığı sürece hiçbir şey değiştirilemez.' },
  },
})

/** What an operation is for, where that decides whether it is open while others are closed. */
export type Door =
  /** Answered whatever happened: health. */
  | 'always'
  /** What somebody needs to sign in and out: open while others may only read. */
  | 'sign-in'
  /** For AI clients and other programs: shut in any emergency, also for reading. */
  | 'programs'

/** What is asked at the door: the same of every transport. */
export interface Knock {
  readonly actor: Actor
  readonly changes: boolean
  readonly door?: Door | undefined
}

/**
 * Whether the server takes a call of anybody at this time. It holds a few words in memory: asking
 * costs a request nothing. The rights of the caller are `authorize`'s.
 */
export interface Admission {
  /** Throws one of `admissionErrors`. */
  check(knock: Knock): void
  open(closure: Closure): void
  close(closure: Closure): void
  closures(): readonly Closure[]
}

export function createAdmission(): Admission {
  const closures = new Set<Closure>()

  function refusalOf({ actor, changes, door }: Knock) {
    if (door === 'always') return undefined
    if (closures.has('closed')) return admissionErrors.locked
    const isEmergency = closures.has('read-only')
    if (isEmergency && door === 'programs') return admissionErrors.locked
    // A key that somebody may have taken is worth nothing now: only who signs in reads.
    if (isEmergency && actor.kind === 'user' && !actor.sessionId) return admissionErrors.locked
    if (!changes || door === 'sign-in') return undefined
    if (isEmergency) return admissionErrors.readOnly
    return closures.has('audit') ? admissionErrors.audit : undefined
  }

  return {
    check(knock) {
      if (closures.size === 0 || knock.actor.kind === 'operator') return
      const refusal = refusalOf(knock)
      if (refusal) throw new AppError(refusal)
    },
    open: (closure) => void closures.delete(closure),
    close: (closure) => void closures.add(closure),
    closures: () => [...closures],
  }
}
