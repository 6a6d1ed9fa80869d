import type { Ctx } from '../../context.ts'
import type { PushDeviceRow } from '../../db/tables.ts'
import type { PushChannel, PushOutcome, PushSignal, PushTarget } from '../../outbound/push.ts'
import { HOUR, MINUTE, SECOND, toIso } from '../../platform/clock.ts'
import { forgetDevice, touchDevice } from '../devices/access.ts'

/** The fields of a device that sending needs. */
export type Addressee = Pick<
  PushDeviceRow,
  'token' | 'kind' | 'platform' | 'p256dh' | 'auth' | 'key_id'
> & { readonly device_id: string }

export function channelOf(
  ctx: Pick<Ctx, 'push'>,
  { kind }: Pick<PushDeviceRow, 'kind'>,
): PushChannel | undefined {
  return kind === 'fcm' ? ctx.push.fcm : ctx.push.webpush
}

/** `fcm`, or the host of the push service. */
export function serviceOf({ kind, token }: Pick<PushDeviceRow, 'kind' | 'token'>): string {
  return kind === 'fcm' ? 'fcm' : (URL.parse(token)?.host ?? token)
}

function targetOf(device: Addressee): PushTarget {
  const { kind, token, platform, p256dh, auth, key_id: keyId } = device
  if (kind === 'fcm') return { kind, token, platform: platform === 'Ios' ? 'Ios' : 'Android' }
  return { kind, endpoint: token, p256dh: p256dh ?? '', auth: auth ?? '', keyId: keyId ?? '' }
}

/** Hands a signal to the device's push service; undefined if this server has no channel for it. */
export async function send(
  ctx: Pick<Ctx, 'push' | 'log'>,
  device: Addressee,
  signal: PushSignal,
): Promise<PushOutcome | undefined> {
  try {
    return await channelOf(ctx, device)?.send(targetOf(device), signal)
  } catch (error) {
    ctx.log.error({ err: error, deviceId: device.device_id }, 'a push could not be created')
    return { hop: 'address', code: 'unexpected', kind: 'refused' }
  }
}

/** Records what an outcome says about the device: it was reached, or it no longer exists. */
export async function noteOutcome(
  ctx: Pick<Ctx, 'db' | 'clock' | 'log'>,
  device: Addressee,
  outcome: PushOutcome,
): Promise<void> {
  const { device_id: id, token, key_id } = device
  if (outcome.kind === 'delivered') {
    await ctx.db.transaction((tx) => touchDevice(tx, id, toIso(ctx.clock.now())))
  } else if (outcome.kind === 'gone') {
    await ctx.db.transaction((tx) => forgetDevice(tx, { id, token, key_id }))
    ctx.log.info({ deviceId: id, code: outcome.code }, 'a device no longer exists: it was removed')
  }
}

const FIRST_PAUSE = 2 * SECOND
const MAX_PAUSE = HOUR
const CREDENTIALS_PAUSE = 15 * MINUTE

/**
 * Milliseconds until the next attempt: exponential backoff with jitter, so that what failed together is
 * not retried together. The jitter comes from `id`: the end of a version 7 UUID is random.
 */
export function pauseAfter(outcome: PushOutcome, attempts: number, id: string): number {
  const first = outcome.kind === 'credentials' ? CREDENTIALS_PAUSE : FIRST_PAUSE
  const most = Math.min(first * 2 ** Math.min(attempts, 20), MAX_PAUSE)
  const scattered = most * (0.5 + Number.parseInt(id.slice(-4), 16) / 0x20000)
  const asked = outcome.kind === 'retry' ? (outcome.afterMs ?? 0) : 0
  return Math.max(asked, scattered)
}
