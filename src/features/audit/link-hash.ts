import type { AuditEventRow } from '../../db/tables.ts'
import { sha256Hex } from '../../platform/tokens.ts'

/** An event that no longer exists has null in every field, and so a hash that matches no link. */
type AuditFields = { readonly [K in keyof AuditEventRow]: AuditEventRow[K] | null }

/** What the first link has in place of a previous hash. */
export const START_OF_CHAIN = '0'.repeat(64)

/** The hash of a link: SHA-256 over the previous link's hash and the whole event. */
export function linkHash(previous: string, event: AuditFields): string {
  // A fixed order of fields: the same on every engine and in every version.
  const fields = [
    event.id,
    event.tenant_id,
    event.created_at,
    event.type,
    event.outcome,
    event.actor_kind,
    event.actor_id,
    event.session_id,
    event.target_type,
    event.target_id,
    event.operation,
    event.ip,
    event.user_agent_hash,
    event.request_id,
    event.details,
  ]
  return sha256Hex(previous + JSON.stringify(fields))
}
