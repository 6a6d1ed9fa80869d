import type { Config } from '../../config/config.ts'
import type { Ctx } from '../../context.ts'
import { AppError, type ErrorDefinition } from '../../platform/errors.ts'
import { type Actor, isProgram } from '../../policy/actor.ts'
import { appGateErrors } from './errors.ts'
import type { AppVersion, AppVersionQuery } from './schema.ts'

export async function getAppVersion(
  ctx: Pick<Ctx, 'config'>,
  _actor: Actor,
  { platform }: AppVersionQuery,
): Promise<AppVersion> {
  const release = ctx.config.apps[platform]
  return {
    minSupportedVersion: release.minimum ?? null,
    latestVersion: release.latest ?? null,
    downloadUrl: release.downloadUrl ?? null,
    platform,
  }
}

const EXEMPT = /^\/(api\/auth|api\/app|health|hubs|auth|mcp|xrpc|\.well-known)(\/|$)/

/** The errors with which a signed-in user may be refused on this path. */
export function gateErrors(path: string): readonly ErrorDefinition[] {
  return EXEMPT.test(path) ? [] : [appGateErrors.appVersionTooOld]
}

/**
 * Refuses an app that is older than the oldest supported version, or does not send its version: throws
 * `app_version_too_old` with the download URL. Applies only to users' tokens, and only if a minimum is set
 * for the platform.
 */
export function checkAppVersion(
  config: Config,
  actor: Actor,
  path: string,
  headers: Headers,
): void {
  if (actor.kind !== 'user' || isProgram(actor) || EXEMPT.test(path)) return
  // Only browsers hold the cookie, and they have no app version.
  if (actor.credential === 'session-cookie') return
  const named = headers.get('x-app-platform')?.toLowerCase()
  // The embedded web client is always as new as its server.
  if (named === 'web') return
  const platform = named === 'ios' ? 'ios' : 'android'
  const { minimum, downloadUrl } = config.apps[platform]
  if (minimum === undefined) return
  const version = headers.get('x-app-version') ?? ''
  if (/^\d+(\.\d+)*$/.test(version) && compareVersions(version, minimum) >= 0) return
  throw new AppError(appGateErrors.appVersionTooOld, {
    minVersion: minimum,
    downloadUrl: downloadUrl ?? null,
    platform,
  })
}

/** Compares numerically: 1.10 is newer than 1.9, and 1.2 equals 1.2.0. */
function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number)
  const right = b.split('.').map(Number)
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
