import { type AuditLine, checkpointOf, linkOf, type PruningLine, pruningOf } from './lines.ts'
import { START_OF_CHAIN } from './link-hash.ts'
import { isPruningSigned } from './pruning.ts'
import { type Broken, type ChainWalk, walkChain } from './walk.ts'

export interface LinesReport {
  readonly checked: number
  readonly checkpoints: number
  /** The position up to which the log was pruned; 0: not at all. */
  readonly prunedTo: number
  readonly broken: Broken | undefined
  /** The public keys that the checkpoints name. */
  readonly keys: readonly string[]
}

/** Where the chain in a file continues from. */
interface Beginning {
  readonly hash: string
  readonly after: number
}

/**
 * Verifies an export without a server: lines in the order of `mimir audit export`. It begins with the very
 * first event, or with the signed line that says up to where the log was pruned. With `trusted` keys, a
 * signature by any other key is broken; without any, the file vouches only for itself.
 */
export async function verifyLines(
  lines: AsyncIterable<AuditLine>,
  trusted: readonly string[],
): Promise<LinesReport> {
  const keys = new Set<string>()
  const counts = new Set(trusted)
  const from = ({ hash, after }: Beginning) =>
    walkChain({ hash, after, signature: undefined, trusted: counts })
  let beginning: Beginning = { hash: START_OF_CHAIN, after: 0 }
  let walk: ChainWalk | undefined
  let gap: Broken | undefined
  for await (const line of lines) {
    if (line.kind !== 'event') {
      keys.add(line.publicKey)
      if (trusted.length === 0) counts.add(line.publicKey)
    }
    switch (line.kind) {
      case 'event':
        walk ??= from(beginning)
        walk.link(linkOf(line))
        break
      case 'checkpoint':
        walk?.checkpoint(checkpointOf(line))
        break
      case 'pruning':
        if (!isPruningSigned(pruningOf(line), counts)) gap ??= gapAt(line)
        else if (!walk) beginning = { hash: line.hash, after: line.position }
    }
  }
  const { checked, checkpoints, broken } = (walk ?? from(beginning)).end()
  return { checked, checkpoints, prunedTo: beginning.after, broken: gap ?? broken, keys: [...keys] }
}

function gapAt({ position }: PruningLine): Broken {
  return { problem: 'gap', position, eventId: undefined }
}
