import type { AuditCheckpointRow, AuditEventRow, AuditLink } from '../../db/tables.ts'
import { isSigned } from './checkpoint.ts'
import { linkHash } from './link-hash.ts'

/** What is wrong with a record, or with what stands before it. */
export type Problem =
  /** The event is not what was linked. */
  | 'changed'
  /** The link is there and its event is not. */
  | 'missing'
  /** The record does not follow on the one before: something was taken away, put in or moved. */
  | 'gap'
  /** A signed checkpoint names another hash at this place: the chain was made anew. */
  | 'rewritten'
  /** The chain ends before a place that was signed. */
  | 'truncated'
  /** A checkpoint is missing, or is not as this server signed it. */
  | 'checkpoint'

export interface Broken {
  readonly problem: Problem
  /** Where in the chain. */
  readonly position: number
  /** The record's id; undefined where no record is left to name. */
  readonly eventId: string | undefined
}

/** A link with the event it names; one that is gone has nulls in every field. */
export type LinkWithEvent = AuditLink & {
  readonly [K in keyof AuditEventRow]: AuditEventRow[K] | null
}

/** Follows a chain record by record; a checkpoint is told before the record it signs, or right after. */
export interface ChainWalk {
  checkpoint(checkpoint: Omit<AuditCheckpointRow, 'key_id'>): void
  /** False once something is broken: what follows says nothing any more. */
  link(link: LinkWithEvent): boolean
  broken(): Broken | undefined
  /** After the last record. */
  end(): { checked: number; checkpoints: number; broken: Broken | undefined }
}

export interface WalkStart {
  /** What the first link has in place of a hash before it. */
  readonly hash: string
  /** The position before the first link. */
  readonly after: number
  /** The signature that the first checkpoint follows on; undefined: whichever it says. */
  readonly signature: string | undefined
  /** Checkpoints count by these public keys alone. */
  readonly trusted: ReadonlySet<string>
}

export function walkChain({ hash, after, trusted, ...before }: WalkStart): ChainWalk {
  let previous = hash
  let position = after
  let checked = 0
  let checkpoints = 0
  let signature = before.signature
  let broken: Broken | undefined
  let badCheckpoint: number | undefined
  /** The hashes that were signed, by their position. */
  const signed = new Map<number, string>()
  let furthest = 0

  const fail = (problem: Problem, at: number, eventId?: string) => {
    broken ??= { problem, position: at, eventId }
    return false
  }

  function problemOf(link: LinkWithEvent): Problem | undefined {
    if (link.id === null) return 'missing'
    if (link.previous_hash !== previous) return 'gap'
    if (link.hash !== linkHash(previous, link)) return 'changed'
    const promised = signed.get(link.position)
    return promised === undefined || promised === link.hash ? undefined : 'rewritten'
  }

  return {
    checkpoint(mark) {
      const follows = signature === undefined || mark.previous === signature
      if (!follows || !trusted.has(mark.public_key) || !isSigned(mark)) {
        badCheckpoint ??= mark.chain_position
        return
      }
      signature = mark.signature
      checkpoints++
      furthest = mark.chain_position
      if (mark.chain_position > position) signed.set(mark.chain_position, mark.chain_hash)
      else if (mark.chain_position === position && mark.chain_hash !== previous) {
        fail('rewritten', position)
      }
    },
    link(link) {
      if (broken) return false
      const problem = problemOf(link)
      if (problem) return fail(problem, link.position, link.event_id)
      previous = link.hash
      position = link.position
      signed.delete(position)
      checked++
      return true
    },
    broken: () => broken,
    end() {
      if (furthest > position) fail('truncated', position + 1)
      const [passed] = signed.keys()
      if (passed !== undefined) fail('gap', passed)
      if (badCheckpoint !== undefined) fail('checkpoint', badCheckpoint)
      return { checked, checkpoints, broken }
    },
  }
}
