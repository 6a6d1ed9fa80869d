import type { Ctx } from '../../context.ts'
import { MINUTE, toIso } from '../../platform/clock.ts'
import { firstIdAt } from '../../platform/ids.ts'
import { chainFrom, unchainedEvents } from './store.ts'
import { findSink } from './store-sinks.ts'

/** How far back to look for events without a link; the daily job finds older ones. */
const LOOK_BACK = 60 * MINUTE
/** A sink that accepts nothing for this long counts as unwritable in strict mode. */
const PATIENCE = 5 * MINUTE
const PAGE = 1000

type Needs = Pick<Ctx, 'db' | 'clock' | 'config'>

export interface SinkLags {
  /** Events older than a minute that have no link. */
  readonly unchained: number
  /** Seconds since the oldest event that the sink has not received; 0: it has them all. */
  readonly lags: readonly (readonly [sink: string, seconds: number])[]
}

export async function readSinkLags(ctx: Needs): Promise<SinkLags> {
  const now = ctx.clock.now()
  const { read } = ctx.db
  const recent = await unchainedEvents(read, firstIdAt(now - LOOK_BACK), PAGE)
  const late = recent.filter((event) => event.created_at < toIso(now - MINUTE))
  const lags: [string, number][] = []
  for (const name of ctx.config.audit.sinks) {
    const cursor = await findSink(read, name)
    const [oldest] = await chainFrom(read, cursor?.position ?? 0, 1)
    const since = oldest?.created_at ? (now - Date.parse(oldest.created_at)) / 1000 : 0
    lags.push([name, Math.max(0, since)])
  }
  return { unchained: late.length, lags }
}

/**
 * In strict mode: stops admitting changes while events wait too long for a sink, and admits them again
 * afterwards. The operator's commands still work, and are recorded.
 */
export async function enforceStrictAudit(ctx: Needs & Pick<Ctx, 'admission'>): Promise<void> {
  if (!ctx.config.audit.strict) return
  const { lags, unchained } = await readSinkLags(ctx)
  const late = lags.some(([, seconds]) => seconds * 1000 > PATIENCE)
  if (late || unchained >= PAGE) ctx.admission.close('audit')
  else ctx.admission.lift('audit')
}
