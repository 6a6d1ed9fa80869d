import type { Ctx } from '../../context.ts'
import type { MessageRow } from '../../db/tables.ts'
import { reasonOf } from '../../platform/errors.ts'
import { open, type Sealed, seal } from '../../platform/secret-box.ts'

type RowNames = Pick<MessageRow, 'id' | 'conversation_id' | 'sender_id'>

/** The context the seal is bound to: bytes copied to another row, conversation or sender do not open. */
function contextOf(row: RowNames): string {
  return `message:${row.id}:${row.conversation_id}:${row.sender_id}`
}

/** Seals a message with the current key. */
export function sealContent(ctx: Pick<Ctx, 'keyring'>, row: RowNames, content: string): Sealed {
  return seal(ctx.keyring.current('message'), content, contextOf(row))
}

type SealedRow = RowNames & Pick<MessageRow, 'key_id' | 'sealed'>

/**
 * Returns the content, or undefined (logged and counted) if the row cannot be opened, so that one
 * unreadable row does not fail the rest.
 */
export function openContent(ctx: Pick<Ctx, 'keyring' | 'log'>, row: SealedRow): string | undefined {
  const key = ctx.keyring.find('message', row.key_id)
  try {
    if (!key) throw new Error('the key is not here')
    return open(key, row.sealed, contextOf(row))
  } catch (error) {
    ctx.keyring.unreadable.count++
    const reason = reasonOf(error)
    ctx.log.error({ messageId: row.id, keyId: row.key_id, reason }, 'a message cannot be decrypted')
    return undefined
  }
}
