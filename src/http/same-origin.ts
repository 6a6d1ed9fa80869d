import type { Ctx } from '../context.ts'
import { AppError, definePageErrors } from '../platform/errors.ts'
import { asksForWebSocket } from '../runtime/peer.ts'

export const sameOriginErrors = definePageErrors({
  foreignOrigin: {
    code: 'foreign_origin',
    kind: 'forbidden',
    message: 'Pages of other sites may not do this.',
    translated: { tr: 'Başka bir sitenin sayfası bunu yapamaz.' },
  },
})

/**
 * Refuses a request that another site's page may have made the browser send with its cookie (CSRF).
 * Requests that change something or open a socket must come from our origin; other requests must not
 * name a foreign one, unless they are navigations.
 */
export function requireSameOrigin(config: Ctx['config'], request: Request): void {
  const site = request.headers.get('sec-fetch-site')
  const origin = request.headers.get('origin')
  const changes = request.method !== 'GET' && request.method !== 'HEAD'
  const opensSocket = asksForWebSocket(request.headers.get('upgrade'))
  // A subdomain may belong to someone else: same-site is not enough.
  const foreign = site === 'cross-site' || site === 'same-site'
  const ours = site === 'same-origin' || (!foreign && origin !== null && isOurs(config, origin))
  const follows = request.headers.get('sec-fetch-mode') === 'navigate'
  const reads = !changes && !opensSocket
  const fine = ours || (reads && (follows || (!foreign && origin === null)))
  if (!fine) {
    throw new AppError(
      sameOriginErrors.foreignOrigin,
      {},
      { audit: { reason: `origin ${origin ?? site ?? 'not told'}`.slice(0, 200) } },
    )
  }
}

function isOurs(config: Ctx['config'], origin: string): boolean {
  return origin === new URL(config.publicUrl).origin
}
