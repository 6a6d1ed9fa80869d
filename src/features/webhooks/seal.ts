import type { Ctx } from '../../context.ts'
import type { WebhookRow } from '../../db/tables.ts'
import { open, type Sealed, seal } from '../../platform/secret-box.ts'

/** Where an outgoing webhook sends to, and the secret that signs. The URLs are often secrets too. */
export interface Target {
  readonly url: string
  readonly secret: string
}

const contextOf = (id: string) => `webhook:${id}`

export function sealTarget(ctx: Pick<Ctx, 'keyring'>, id: string, target: Target): Sealed {
  return seal(ctx.keyring.current('message'), JSON.stringify(target), contextOf(id))
}

/** Throws if the key no longer exists, or the bytes belong to another webhook. */
export function openTarget(
  ctx: Pick<Ctx, 'keyring'>,
  { id, key_id: keyId, sealed }: Pick<WebhookRow, 'id' | 'key_id' | 'sealed'>,
): Target {
  const key = keyId === null ? undefined : ctx.keyring.find('message', keyId)
  if (!key || !sealed) throw new Error('the address of a webhook cannot be opened')
  return JSON.parse(open(key, sealed, contextOf(id)))
}
