import type { Ctx } from '../../context.ts'
import { clearCookie, hostCookie, SESSION_COOKIE, setCookie } from '../../http/cookies.ts'
import { movingOn } from '../../http/page.ts'
import { wantsPage } from '../../http/refusal-page.ts'
import { AppError } from '../../platform/errors.ts'
import { type Actor, languageOf } from '../../policy/actor.ts'
import { sessionErrors } from '../sessions/errors.ts'
import type { Landing } from '../sessions/service.ts'
import { STEP_COOKIE } from './cookies.ts'

type Config = Ctx['config']

/** Answers 200 with the new session's cookie and a page that leads on; a program gets the same as JSON. */
export async function landed(
  ctx: Pick<Ctx, 'config' | 'clock'>,
  actor: Actor,
  request: Request,
  { cookie, location }: Landing,
): Promise<Response> {
  const cookies = [clearCookie(ctx.config, hostCookie(ctx.config, STEP_COOKIE))]
  if (cookie) {
    const seconds = Math.floor((Date.parse(cookie.expiresAt) - ctx.clock.now()) / 1000)
    cookies.push(setCookie(ctx.config, SESSION_COOKIE, cookie.token, seconds))
  }
  if (wantsPage(request)) return movingOn(languageOf(actor), location, cookies)
  const answer = Response.json({ location, expiresAt: cookie?.expiresAt ?? null })
  for (const line of cookies) answer.headers.append('set-cookie', line)
  return answer
}

const STEP_SECONDS = 15 * 60

/** Sends the browser to its second step if the error asks for it; rethrows any other. */
export function toSecondStep(config: Config, actor: Actor, error: unknown): Promise<Response> {
  const steps: string[] = [sessionErrors.mfaRequired.code, sessionErrors.mfaEnrolmentRequired.code]
  if (!(error instanceof AppError) || !steps.includes(error.code)) throw error
  const challenge = String(error.details.challenge)
  const cookie = setCookie(config, hostCookie(config, STEP_COOKIE), challenge, STEP_SECONDS)
  return movingOn(languageOf(actor), `${config.pathPrefix}/auth/second-factor`, [cookie])
}
