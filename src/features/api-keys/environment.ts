import type { Ctx } from '../../context.ts'
import { type Origin, operatorActor, type UserActor } from '../../policy/actor.ts'
import { invalidToken } from '../../policy/errors.ts'
import { findAccountById } from '../accounts/access.ts'
import { findService } from '../accounts/service-accounts.ts'
import { recordAudit } from '../audit/service.ts'
import { hashOfKey } from './key-text.ts'

/** The keys of `MIMIR_API_KEY` and `MIMIR_API_KEYS`, each with the service it acts as. */
export interface EnvironmentKeys {
  has(text: string): boolean
  hasId(keyId: string): boolean
  authenticate(ctx: Pick<Ctx, 'db' | 'config'>, text: string, origin: Origin): Promise<UserActor>
}

/** Creates the services for the environment's keys where they do not exist yet. */
export async function openEnvironmentKeys(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'access' | 'config' | 'log'>,
): Promise<EnvironmentKeys> {
  const owners = new Map<string, { keyId: string; userId: string }>()
  for (const [index, key] of ctx.config.secrets.apiKeys.entries()) {
    const keyId = `env_${index + 1}`
    const userId = await serviceFor(ctx, keyId)
    owners.set(hashOfKey(key), { keyId, userId })
  }
  if (owners.size > 0) ctx.log.warn({ keys: owners.size }, NEVER_EXPIRES)
  // The timing of a look-up by hash reveals nothing but the hash of the key presented.
  const find = (text: string) => (owners.size > 0 ? owners.get(hashOfKey(text)) : undefined)
  return {
    has: (text) => find(text) !== undefined,
    hasId: (keyId) => [...owners.values()].some((owner) => owner.keyId === keyId),
    async authenticate({ db, config }, text, origin) {
      const owner = find(text)
      if (!owner) throw invalidToken({ reason: 'malformed_key' })
      const { keyId, userId } = owner
      const user = await findAccountById(db.read, config.tenantId, userId)
      if (user?.status !== 'Active') {
        throw invalidToken({
          reason: 'owner_not_active',
          targetType: 'api_key',
          targetId: keyId,
        })
      }
      return {
        kind: 'user',
        tenantId: user.tenant_id,
        userId,
        username: user.username,
        role: user.role,
        credential: 'api-key',
        keyId,
        origin,
      }
    },
  }
}

const NEVER_EXPIRES =
  'keys of the environment never expire and may do all that a service may: `mimir apikey create` makes better ones'

async function serviceFor(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'access' | 'config'>,
  name: string,
): Promise<string> {
  const { tenantId } = ctx.config
  return ctx.db.transaction(async (tx) => {
    const { service, isNew } = await findService(ctx, tx, tenantId, name)
    if (isNew) {
      await recordAudit(ctx, tx, operatorActor(tenantId, 'start', ctx.ids.next()), {
        type: 'account.registered',
        target: { type: 'user', id: service.id },
        details: { role: 'service' },
      })
    }
    return service.id
  })
}
