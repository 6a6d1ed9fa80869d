import type { Ctx } from '../../context.ts'
import { type PersonalData, partOf } from '../../db/personal-data.ts'
import { readStored } from './download.ts'
import { removeAttachments } from './remove.ts'
import { openHead } from './sealing.ts'
import { listOwned } from './store.ts'

export const attachmentData: PersonalData<Ctx> = {
  tables: ['attachments', 'attachment_chunks', 'message_attachments', 'attachment_usage'],
  async *collect(ctx, { userId }) {
    const rows = await listOwned(ctx.db.read, userId)
    const list = rows.map(({ id, state, size, created_at }) => ({ id, state, size, created_at }))
    yield* partOf('attachments.json', list)
    for (const row of rows) {
      const head = openHead(ctx, row)
      if (!head) continue
      const { id, name, size } = head.attachment
      const bytes = readStored(ctx, head, { start: 0, end: size })
      yield { file: `attachments/${id}-${safeName(name)}`, bytes }
    }
  },
  /** Deletes unsent uploads only: what was sent also belongs to its recipients. */
  async erase(_ctx, tx, { userId }) {
    const rows = await listOwned(tx, userId)
    const ids = rows.filter(({ state }) => state === 'unsent').map(({ id }) => id)
    return (await removeAttachments(tx, { ids, state: 'unsent', ownerId: userId })).length
  },
}

/** Removes everything that could be taken for a path when the archive is unpacked. */
function safeName(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}._ -]/gu, '_').replace(/^\.+/, '_')
}
