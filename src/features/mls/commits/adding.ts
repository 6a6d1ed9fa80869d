import type { Ctx } from '../../../context.ts'
import type { Tx } from '../../../db/database.ts'
import type { UserRow } from '../../../db/tables.ts'
import { toIso } from '../../../platform/clock.ts'
import { AppError, type ErrorDefinition } from '../../../platform/errors.ts'
import type { UserActor } from '../../../policy/actor.ts'
import { listUsersById } from '../../accounts/access.ts'
import { didOf } from '../../atproto/service.ts'
import { mlsErrors } from '../errors.ts'
import type { KeyPackageHash } from '../schema.ts'
import { listUsable, type UsablePackage } from '../store/key-packages.ts'
import { listOptedOut } from '../store/opt-outs.ts'
import type { WelcomeFacts } from '../wire/reading.ts'

/** The devices that a commit or a creation adds, in the order of their leaves. */
export interface Added {
  readonly packages: readonly UsablePackage[]
  /** Their owners by id. */
  readonly owners: ReadonlyMap<string, UserRow>
}

export interface Adding {
  /** The refs of the key packages in the order of the Add proposals. */
  readonly refs: readonly string[]
  readonly cipherSuite: string
  readonly welcome: WelcomeFacts | undefined
  /** The request's own claim about the packages, if it makes one. */
  readonly hashes: readonly KeyPackageHash[] | undefined
}

/**
 * Looks up the devices that the key packages add. Each package must be unused, unexpired, of the group's
 * suite and handed out to the caller or their own, and the Welcome must be for exactly these packages.
 * Throws `KeyPackageNotFound`, `InvalidWelcome`, `AlreadyMember` or `NotReachable`.
 */
export async function requireAdded(
  ctx: Pick<Ctx, 'clock' | 'config'>,
  tx: Tx,
  me: UserActor,
  { refs, cipherSuite, welcome, hashes }: Adding,
): Promise<Added> {
  requireSame(refs, welcome?.refs ?? [])
  if (welcome && (welcome.cipherSuite !== cipherSuite || refs.length === 0)) {
    throw new AppError(mlsErrors.invalidWelcome)
  }
  const now = toIso(ctx.clock.now())
  const rows = await listUsable(tx, refs, me.userId, now)
  const byRef = new Map(rows.map((row) => [row.ref, row]))
  const packages = refs.map((ref) => byRef.get(ref))
  const isMine = (row: UsablePackage) => row.taker_id !== null || row.user_id === me.userId
  const found = packages.filter((row) => row !== undefined)
  const areGood = found.every(
    (row) => isMine(row) && row.cipher_suite === cipherSuite && row.tenant_id === me.tenantId,
  )
  if (found.length < refs.length || !areGood) throw new AppError(mlsErrors.keyPackageNotFound)
  const devices = new Set(found.map((row) => row.device_id))
  if (devices.size < found.length) throw new AppError(mlsErrors.alreadyMember)
  const userIds = [...new Set(found.map((row) => row.user_id))]
  const users = await listUsersById(tx, me.tenantId, userIds)
  const optedOut = await listOptedOut(tx, userIds)
  if (
    users.some(({ id, status }) => status !== 'Active' || (optedOut.has(id) && id !== me.userId))
  ) {
    throw new AppError(mlsErrors.notReachable)
  }
  const owners = new Map(users.map((user) => [user.id, user]))
  if (hashes) {
    const didOfRef = (ref: string) => {
      const owner = owners.get(byRef.get(ref)?.user_id ?? '')
      return owner && didOf(ctx, owner)
    }
    const agrees = hashes.every(({ did, hash }) => didOfRef(hash) === did)
    if (!agrees || hashes.length !== refs.length) throw new AppError(mlsErrors.keyPackageNotFound)
  }
  return { packages: found, owners }
}

function requireSame(refs: readonly string[], inWelcome: readonly string[]): void {
  const known = new Set(refs)
  const isSame = known.size === refs.length && refs.length === inWelcome.length
  if (!isSame || !inWelcome.every((ref) => known.has(ref))) {
    throw new AppError(mlsErrors.invalidWelcome)
  }
}

/** Throws `refusal` unless the claimed DIDs are exactly those of the key packages' owners. */
export function requireOwners(
  ctx: Pick<Ctx, 'config'>,
  { owners }: Added,
  dids: readonly string[],
  refusal: ErrorDefinition,
): void {
  const claimed = new Set(dids)
  const added = [...owners.values()].map((owner) => didOf(ctx, owner))
  if (added.length !== claimed.size || !added.every((did) => claimed.has(did))) {
    throw new AppError(refusal)
  }
}
