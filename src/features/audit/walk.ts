import type { AuditCheckpointRow, AuditEventRow, AuditLink } from '../../db/tables.ts'
import { isSigned } from './checkpoint.ts'
import { linkHash } from './link-hash.ts'

/** What is wrong with a record, or with what precedes it. */
export type Problem =
  /** The event differs from what was linked. */
  | 'changed'
  /** The link exists, but its event does not. */
  | 'missing'
  /** The record does not follow the previous one: something was removed, inserted or moved. */
  | 'gap'
  /** A signed checkpoint names another hash at this position: the chain was rebuilt. */
  | 'rewritten'
  /** The chain ends before a signed position. */
  | 'truncated'
  /** A checkpoint is missing, or differs from what this server signed. */
  | 'checkpoint'

export interface Broken {
  readonly problem: Problem
  /** Where in the chain. */
  readonly position: number
  /** The record's id; undefined if no record is left to name. */
  readonly eventId: string | undefined
}

/** A link with the event it names; if that no longer exists, every field is null. */
export type LinkWithEvent = AuditLink & {
  readonly [K in keyof AuditEventRow]: AuditEventRow[K] | null
}

/** Follows a chain record by record; a checkpoint is passed before the record it signs, or right after. */
export interface ChainWalk {
  checkpoint(checkpoint: Omit<AuditCheckpointRow, 'key_id'>): void
  /** Returns false once something is broken: nothing after that can be verified. */
  link(link: LinkWithEvent): boolean
  broken(): Broken | undefined
  /** Call after the last record. */
  end(): { checked: number; checkpoints: number; broken: Broken | undefined }
}

export interface WalkStart {
  /** What the first link has in place of a previous hash. */
  readonly hash: string
  /** The position before the first link. */
  readonly after: number
  /** The signature that the first checkpoint must follow; undefined accepts any. */
  readonly signature: string | undefined
  /** Only checkpoints signed by these public keys count. */
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
  /** The signed hashes by position. */
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
