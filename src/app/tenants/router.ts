import type { TenancyConfig } from '../../config/tenancy.ts'
import { statusOf } from '../../http/on-error.ts'
import { AppError } from '../../platform/errors.ts'
import type { App } from '../create-app.ts'
import type { Doors } from '../doors.ts'
import { createPick } from './pick.ts'
import type { TenantTable } from './table.ts'

/** How requests that are nobody's are counted. */
const PICK = 'tenants:pick'

/** Doors that lead to the doors of whoever a request is for. */
export function createRouter(
  table: TenantTable,
  first: App,
  doors: Doors,
  { source }: TenancyConfig,
): Doors {
  const { config, metrics } = first.ctx
  const pick = createPick(table, source, config.trustedProxies)

  function refuse(error: unknown): Response {
    if (!(error instanceof AppError)) throw error
    metrics.requests.add(`${PICK}|${statusOf(error.kind)}`)
    return doors.refuse(error)
  }

  return {
    ...doors,
    fetch(request, peer) {
      let picked: Doors
      try {
        picked = pick(request, peer)
      } catch (error) {
        return refuse(error)
      }
      return picked.fetch(request, peer)
    },
    async upgrade(request, peer) {
      let picked: Doors
      try {
        picked = pick(request, peer)
      } catch (error) {
        return refuse(error)
      }
      return picked.upgrade(request, peer)
    },
    async shut() {
      await Promise.all(table.serving().map((entry) => entry.doors.shut()))
    },
  }
}
