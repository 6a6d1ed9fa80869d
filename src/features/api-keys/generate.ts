import type { Actor } from '../../policy/actor.ts'
import type { GeneratedKey, GenerateKey } from './schema.ts'
import { createKey, type KeyNeeds } from './service.ts'

/** Creates a key of the caller's own, with the field names of earlier systems. */
export async function generateKey(
  ctx: KeyNeeds,
  actor: Actor,
  { name, expiresInDays, permissions }: GenerateKey,
): Promise<GeneratedKey> {
  const { id, key, scopes, expiresAt } = await createKey(ctx, actor, {
    name,
    expiresInDays,
    scopes: permissions,
  })
  return {
    success: true,
    apiKey: key,
    key,
    keyId: id,
    name,
    permissions: scopes,
    expiresAt,
    warning: 'Keep this key now: it is not shown again.',
  }
}
