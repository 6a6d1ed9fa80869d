import { AppError, definePageErrors } from '../platform/errors.ts'
import type { Actor } from './actor.ts'

/** Why the server accepts fewer calls than usual. */
export type Closure =
  /** An emergency: only health is answered. */
  | 'closed'
  /** An emergency: reading only. */
  | 'read-only'
  /** Reading only, while the audit log cannot be written. */
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
    message: 'The server is read-only for now.',
    translated: { tr: 'Şimdilik hiçbir şey değiştirilemez.' },
  },
  audit: {
    code: 'audit_unavailable',
    kind: 'unavailable',
    message: 'Nothing can be changed while the audit log cannot be written.',
    translated: { tr: 'Denetim günlüğü yazılamadığı sürece hiçbir şey değiştirilemez.' },
  },
})

/** Kinds of operations that open or close apart from others. */
export type OperationClass =
  /** Always answered: health. */
  | 'always'
  /** Needed to sign in and out: stays open while others may only read. */
  | 'sign-in'
  /** For AI clients and other programs: closed in any emergency, even for reading. */
  | 'programs'

/** A call to be admitted, in the same form for every transport. */
export interface AdmissionRequest {
  readonly actor: Actor
  readonly changes: boolean
  readonly operationClass?: OperationClass | undefined
}

/**
 * Whether the server accepts a call at this time, from whomever; `authorize` decides about the caller's
 * rights. Its state is in memory, so a check costs next to nothing.
 */
export interface Admission {
  /** Throws one of `admissionErrors`. */
  check(request: AdmissionRequest): void
  lift(closure: Closure): void
  close(closure: Closure): void
  closures(): readonly Closure[]
}

export function createAdmission(): Admission {
  const closures = new Set<Closure>()

  function refusalOf({ actor, changes, operationClass }: AdmissionRequest) {
    if (operationClass === 'always') return undefined
    if (closures.has('closed')) return admissionErrors.locked
    const isEmergency = closures.has('read-only')
    if (isEmergency && operationClass === 'programs') return admissionErrors.locked
    // A key may have been stolen, so only callers with a session may read.
    if (isEmergency && actor.kind === 'user' && !actor.sessionId) return admissionErrors.locked
    if (!changes || operationClass === 'sign-in') return undefined
    if (isEmergency) return admissionErrors.readOnly
    return closures.has('audit') ? admissionErrors.audit : undefined
  }

  return {
    check(request) {
      if (closures.size === 0 || request.actor.kind === 'operator') return
      const refusal = refusalOf(request)
      if (refusal) throw new AppError(refusal)
    },
    lift: (closure) => void closures.delete(closure),
    close: (closure) => void closures.add(closure),
    closures: () => [...closures],
  }
}
