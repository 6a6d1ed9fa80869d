import type { Appliance } from './boot.ts'
import type { Person } from './people.ts'
import type { Reply } from './rest.ts'

/** A PNG header: the server sniffs only the first bytes. */
export const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')

/** Uploads bytes with a Content-Length header. */
export function upload(
  mimir: Appliance,
  who: Person,
  bytes: Buffer,
  headers: Record<string, string> = {},
  query = '',
): Promise<Reply> {
  const rest = mimir.rest(who.accessToken).with({ 'content-type': 'x/y', ...headers })
  return rest.send('POST', `/api/attachments${query}`, new Uint8Array(bytes))
}

/** Uploads chunks without a Content-Length header. */
export async function uploadStreamed(
  mimir: Appliance,
  who: Person,
  pieces: Iterable<Uint8Array>,
): Promise<Reply> {
  const iterator = pieces[Symbol.iterator]()
  const body = new ReadableStream({
    pull(controller) {
      const { done, value } = iterator.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
  })
  const response = await fetch(`${mimir.url}/api/attachments`, {
    method: 'POST',
    headers: { authorization: `Bearer ${who.accessToken}` },
    body,
    duplex: 'half',
  } as RequestInit)
  return { status: response.status, headers: response.headers, body: await response.json() }
}

export async function download(
  mimir: Appliance,
  who: Person,
  id: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; bytes: Buffer }> {
  const response = await fetch(`${mimir.url}/api/attachments/${id}`, {
    headers: { authorization: `Bearer ${who.accessToken}`, ...headers },
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  return { status: response.status, headers: response.headers, bytes }
}

/** The attachment rows in the store. */
export async function rowsOf({ app }: Appliance) {
  const { read } = app.ctx.db
  return {
    attachments: await read.selectFrom('attachments').selectAll().execute(),
    chunks: await read
      .selectFrom('attachment_chunks')
      .select(['attachment_id', 'position'])
      .orderBy('position')
      .execute(),
    links: await read.selectFrom('message_attachments').selectAll().execute(),
  }
}

/** Bytes counted against a person's attachment quota. */
export async function usageOf({ app }: Appliance, who: Person): Promise<number> {
  const row = await app.ctx.db.read
    .selectFrom('attachment_usage')
    .select('bytes')
    .where('user_id', '=', who.id)
    .executeTakeFirst()
  return row?.bytes ?? 0
}
