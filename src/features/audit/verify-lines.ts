import { type AuditLine, checkpointOf, linkOf } from './lines.ts'
import { type Broken, type ChainWalk, walkChain } from './walk.ts'

export interface LinesReport {
  readonly checked: number
  readonly checkpoints: number
  readonly broken: Broken | undefined
  /** The public keys that the checkpoints name. */
  readonly keys: readonly string[]
}

/**
 * Verifies an export where there is no server: lines in the order of `mimir audit export`. With
 * `trusted` keys a checkpoint by another is broken; without any the file vouches for itself alone.
 */
export async function verifyLines(
  lines: AsyncIterable<AuditLine>,
  trusted: readonly string[],
): Promise<LinesReport> {
  const keys = new Set<string>()
  const counts = new Set(trusted)
  let walk: ChainWalk | undefined
  for await (const line of lines) {
    if (line.kind === 'checkpoint') {
      keys.add(line.publicKey)
      if (trusted.length === 0) counts.add(line.publicKey)
      walk?.checkpoint(checkpointOf(line))
      continue
    }
    walk ??= walkChain({
      hash: line.previousHash,
      after: line.position - 1,
      signature: undefined,
      trusted: counts,
    })
    walk.link(linkOf(line))
  }
  const end = walk?.end() ?? { checked: 0, checkpoints: 0, broken: undefined }
  return { ...end, keys: [...keys] }
}
