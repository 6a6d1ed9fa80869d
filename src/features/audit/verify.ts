import { setImmediate } from 'node:timers/promises'
import type { Ctx } from '../../context.ts'
import { trustedKeys } from './checkpoint.ts'
import { START_OF_CHAIN } from './link-hash.ts'
import { isPruningSigned } from './pruning.ts'
import { chainFrom, countUnchained } from './store.ts'
import { checkpointsFrom, newestPruning, type SignedPruning } from './store-checkpoints.ts'
import { type Broken, type ChainWalk, walkChain } from './walk.ts'

const PAGE = 500

export interface ChainReport {
  readonly checked: number
  readonly checkpoints: number
  /** The position up to which the log was pruned; 0: not at all. */
  readonly prunedTo: number
  readonly broken: Broken | undefined
  /** Events without a link; a few younger than the job's last run are normal. */
  readonly unlinked: number
}

/** Recomputes the chain from its start and compares it with the signed checkpoints. */
export async function verifyAuditChain(ctx: Pick<Ctx, 'db' | 'keyring'>): Promise<ChainReport> {
  for (;;) {
    const pruning = await newestPruning(ctx.db.read)
    const report = await verifyFrom(ctx, pruning)
    // A pruning in the meantime looks like a gap.
    const now = await newestPruning(ctx.db.read)
    if (now?.chain_position === pruning?.chain_position) return report
  }
}

async function verifyFrom(
  ctx: Pick<Ctx, 'db' | 'keyring'>,
  pruning: SignedPruning | undefined,
): Promise<ChainReport> {
  const { read } = ctx.db
  const unlinked = await countUnchained(read)
  const trusted = trustedKeys(ctx)
  if (pruning && !isPruningSigned(pruning, trusted)) {
    const broken = { problem: 'gap', position: pruning.chain_position, eventId: undefined } as const
    return { checked: 0, checkpoints: 0, prunedTo: 0, broken, unlinked }
  }
  const prunedTo = pruning?.chain_position ?? 0
  const hash = pruning?.chain_hash ?? START_OF_CHAIN
  const walk = walkChain({ hash, after: prunedTo, signature: '', trusted })
  await readCheckpoints(ctx, walk)
  for (let position = prunedTo; !walk.broken(); ) {
    const links = await chainFrom(read, position, PAGE)
    for (const link of links) if (!walk.link(link)) break
    if (links.length < PAGE) break
    position = links.at(-1)?.position ?? position
    // Let other requests run: a long chain takes a while.
    await setImmediate()
  }
  return { ...walk.end(), prunedTo, unlinked }
}

async function readCheckpoints(ctx: Pick<Ctx, 'db'>, walk: ChainWalk): Promise<void> {
  for (let after = 0; ; ) {
    const page = await checkpointsFrom(ctx.db.read, after, PAGE)
    for (const checkpoint of page) walk.checkpoint(checkpoint)
    if (page.length < PAGE) return
    after = page.at(-1)?.sequence ?? after
    await setImmediate()
  }
}
