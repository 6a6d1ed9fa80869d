import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { isMailKeyUsed } from '../../outbound/mail-queue.ts'
import { AppError } from '../../platform/errors.ts'
import { type Key, type KeyPurpose, keyErrors } from '../../platform/keyring.ts'
import { createSigner } from '../../platform/signing.ts'
import type { Actor } from '../../policy/actor.ts'
import { isAttachmentKeyUsed } from '../attachments/access.ts'
import { isCheckpointKeyUsed } from '../audit/access.ts'
import { recordAudit } from '../audit/service.ts'
import { isMessageKeyUsed } from '../messages/access.ts'
import { isTotpKeyUsed } from '../mfa/access.ts'
import { isVaultKeyUsed } from '../nodes/access.ts'
import { isFlowKeyUsed } from '../oidc/access.ts'
import { isExportKeyUsed } from '../privacy/access.ts'
import { isReasonKeyUsed } from '../reports/access.ts'
import { isSignInKeyUsed } from '../sessions/access.ts'
import { isWebhookKeyUsed } from '../webhooks/access.ts'

/** A key without its bytes. */
export interface KeyInfo {
  readonly id: string
  readonly purpose: KeyPurpose
  readonly createdAt: string
  readonly source: 'file' | 'environment'
  /** Whether new data are signed or sealed with it. */
  readonly current: boolean
  /** Only for keys that sign the audit log: 32 bytes of Ed25519 in base64url, to verify an export with. */
  readonly publicKey?: string
}

function toInfo(ctx: Pick<Ctx, 'keyring'>, key: Key): KeyInfo {
  const { id, purpose, createdAt, source } = key
  const current = ctx.keyring.current(purpose) === key
  const shown = purpose === 'audit' ? { publicKey: createSigner(key.key).publicKey } : {}
  return { id, purpose, createdAt, source, current, ...shown }
}

export async function listKeys(ctx: Pick<Ctx, 'keyring'>): Promise<KeyInfo[]> {
  return ctx.keyring.all().map((key) => toInfo(ctx, key))
}

type Needs = Pick<Ctx, 'db' | 'keyring' | 'clock' | 'ids'>

/** Creates a new key and uses it from now on; older ones still verify or decrypt. */
export async function rotateKey(
  ctx: Needs,
  actor: Actor,
  input: { purpose: KeyPurpose },
): Promise<KeyInfo> {
  const key = ctx.keyring.rotate(input.purpose)
  await ctx.db.transaction((tx) =>
    recordAudit(ctx, tx, actor, { type: 'key.rotated', target: { type: 'key', id: key.id } }),
  )
  return toInfo(ctx, key)
}

/**
 * Destroys an old key. A key that still seals data cannot be retired, because they would become unreadable;
 * nor one that signed an audit checkpoint, which could no longer be verified.
 */
export async function retireKey(
  ctx: Needs,
  actor: Actor,
  input: { id: string },
): Promise<{ id: string }> {
  const { id } = input
  ctx.keyring.requireRemovable(id)
  await ctx.db.transaction(async (tx) => {
    const seals = ctx.keyring.find('message', id) !== undefined
    const signs = ctx.keyring.find('audit', id) !== undefined
    if ((seals && (await isKeyNeeded(tx, id))) || (signs && (await isCheckpointKeyUsed(tx, id)))) {
      throw new AppError(keyErrors.inUse)
    }
    await recordAudit(ctx, tx, actor, { type: 'key.retired', target: { type: 'key', id } })
  })
  // Last: a key recorded as retired that still exists does less harm than the reverse.
  ctx.keyring.remove(id)
  return { id }
}

/** Whether any stored data are still sealed with the key. */
async function isKeyNeeded(tx: Tx, id: string): Promise<boolean> {
  const uses = [
    isMessageKeyUsed,
    isAttachmentKeyUsed,
    isReasonKeyUsed,
    isVaultKeyUsed,
    isMailKeyUsed,
    isExportKeyUsed,
    isTotpKeyUsed,
    isSignInKeyUsed,
    isFlowKeyUsed,
    isWebhookKeyUsed,
  ]
  for (const isUsed of uses) if (await isUsed(tx, id)) return true
  return false
}
