import type { Ctx } from '../../context.ts'
import { createGuardedFetch } from '../../outbound/guarded-fetch.ts'
import { toIso } from '../../platform/clock.ts'
import { jobActor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { ALERT_RULES, type AlertRule } from './alert-rules.ts'
import { type Reading, takeReading } from './readings.ts'

/** Readings are a minute apart: the newest quarter of an hour is kept. */
const KEPT = 15
/** Of earlier readings every fifteenth is kept, for 25 hours. */
const QUARTERS_KEPT = 100
const QUARTERS_AN_HOUR = 4
/** Notifications that cannot be delivered are dropped after this many attempts, a minute apart. */
const MAX_TRIES = 60

/** An alert that began or ended. */
interface News {
  readonly rule: AlertRule
  readonly state: 'firing' | 'resolved'
  readonly value: number
  readonly at: string
}

/** Watches the server's metrics and notifies the administrator: for servers without Prometheus. */
export interface AlertWatch {
  /** Takes one reading; called every minute. */
  look(ctx: Ctx): Promise<void>
}

export function createAlertWatch(): AlertWatch {
  const readings: Reading[] = []
  /** Oldest first; the last one is at most a quarter of an hour old. */
  const quarters: Reading[] = []
  let looks = 0
  const firing = new Set<string>()
  let untold: { news: News; tries: number }[] = []

  function compare(ctx: Ctx): News[] {
    const [before, now] = [readings[0], readings.at(-1)]
    const [dayAgo] = quarters
    const hourAgo = quarters.at(-QUARTERS_AN_HOUR - 1) ?? dayAgo
    if (!before || !now || before === now || !dayAgo || !hourAgo) return []
    const news: News[] = []
    for (const rule of ALERT_RULES) {
      const value = rule.value({ now, before, hourAgo, dayAgo })
      if (value === undefined) continue
      const at = toIso(ctx.clock.now())
      const isFiring = firing.has(rule.name)
      if (!isFiring && value > rule.fires) {
        firing.add(rule.name)
        news.push({ rule, state: 'firing', value, at })
      } else if (isFiring && value < rule.clears) {
        firing.delete(rule.name)
        news.push({ rule, state: 'resolved', value, at })
      }
    }
    return news
  }

  return {
    async look(ctx) {
      const reading = await takeReading(ctx)
      readings.push(reading)
      if (readings.length > KEPT) readings.shift()
      if (looks++ % KEPT === 0) quarters.push(reading)
      if (quarters.length > QUARTERS_KEPT) quarters.shift()
      const news = compare(ctx)
      for (const one of news) await record(ctx, one)
      if (!ctx.config.alerts.webhookUrl) return
      untold.push(...news.map((one) => ({ news: one, tries: 0 })))
      const left: typeof untold = []
      for (const one of untold) {
        const told = await post(ctx, one.news)
        if (!told && one.tries < MAX_TRIES) left.push({ ...one, tries: one.tries + 1 })
      }
      untold = left
    },
  }
}

/** Writes to the audit log and, in the same transaction, queues an e-mail. */
async function record(ctx: Ctx, { rule, state, value }: News): Promise<void> {
  const { tenantId, alerts } = ctx.config
  const { email } = alerts
  const rounded = Math.round(value * 100) / 100
  await ctx.db.transaction(async (tx) => {
    await recordAudit(ctx, tx, jobActor(tenantId, 'watch-alerts', ctx.ids.next()), {
      type: 'security.alert',
      outcome: state === 'firing' ? 'error' : 'allow',
      details: { alert: rule.name, state, value: rounded },
    })
    if (!email || !ctx.mailer) return
    const over = state === 'resolved'
    await ctx.mailer.queue(tx, tenantId, {
      to: email,
      subject: `Mimir ${over ? 'recovered' : 'alert'}: ${rule.name}`,
      text: `${rule.text}\n\n${over ? 'This is over.' : `The value is ${rounded}.`}\n${ctx.config.publicUrl}\n`,
    })
  })
  ctx.log.warn({ alert: rule.name, state, value: rounded }, rule.text)
}

async function post(ctx: Ctx, { rule, state, value, at }: News): Promise<boolean> {
  const url = ctx.config.alerts.webhookUrl as string
  const server = ctx.config.publicUrl
  const body = JSON.stringify({ alert: rule.name, state, value, text: rule.text, at, server })
  try {
    const { status } = await createGuardedFetch(ctx.config.outboundAllow)({
      url,
      method: 'POST',
      trusted: true,
      timeoutMs: 5000,
      headers: { 'content-type': 'application/json' },
      body,
    })
    if (status < 300) return true
    ctx.log.warn({ alert: rule.name, status }, 'the alert webhook refused the alert')
  } catch (error) {
    ctx.log.warn({ err: error, alert: rule.name }, 'the alert webhook could not be reached')
  }
  return false
}
