import { Backlog, type Waiting } from './backlog.ts'
import type { HubLimits } from './limits.ts'

export interface IntakeOwner {
  /** Whether a further record may be acted on now. */
  readonly isAccepting: boolean
  act(record: Waiting): void
}

/** Starts a client's records in order, as many at a time as the limits allow. */
export class Intake {
  private readonly owner: IntakeOwner
  private readonly limits: HubLimits
  private readonly backlog = new Backlog()
  private running = 0
  private startsLater = false

  constructor(owner: IntakeOwner, limits: HubLimits) {
    this.owner = owner
    this.limits = limits
  }

  get isEmpty(): boolean {
    return this.backlog.size === 0
  }

  get isOverfull(): boolean {
    const { waitingRecords, waitingCharacters } = this.limits
    return this.backlog.size > waitingRecords || this.backlog.characters > waitingCharacters
  }

  add(record: Waiting): void {
    this.backlog.add(record)
  }

  /** Acts on waiting records, as many as the limits allow in this turn of the event loop. */
  start(): void {
    if (this.startsLater) return
    const { running, startedPerTurn } = this.limits
    for (let started = 0; started < startedPerTurn; started += 1) {
      if (!this.owner.isAccepting || this.running >= running) return
      const record = this.backlog.take()
      if (record === undefined) return
      this.owner.act(record)
    }
    this.startLater()
  }

  /** An invocation has started. */
  began(): void {
    this.running += 1
  }

  ended(): void {
    this.running -= 1
    this.startLater()
  }

  private startLater(): void {
    if (this.startsLater || this.backlog.size === 0) return
    this.startsLater = true
    setImmediate(() => {
      this.startsLater = false
      this.start()
    })
  }
}
