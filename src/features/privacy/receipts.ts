import type { Ctx } from '../../context.ts'
import type { Person } from '../../db/personal-data.ts'
import type { PrivacyReceiptRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { hmacToken } from '../../platform/tokens.ts'

/**
 * The proof that a privacy request was carried out. It holds a keyed hash instead of the id: it can be found
 * with the id and the server's key, but does not reveal the id.
 */
export function receiptOf(
  ctx: Pick<Ctx, 'clock' | 'ids' | 'keyring'>,
  { tenantId, userId }: Person,
  kind: PrivacyReceiptRow['kind'],
  counts: Readonly<Record<string, number>>,
): PrivacyReceiptRow {
  return {
    id: ctx.ids.next(),
    tenant_id: tenantId,
    kind,
    subject: hmacToken(ctx.keyring.current('audit').key, `privacy-receipt:${userId}`),
    created_at: toIso(ctx.clock.now()),
    counts: JSON.stringify(counts),
  }
}
