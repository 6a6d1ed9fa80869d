import { UNKNOWN_TYPE } from './content-type.ts'
import type { StoredFile } from './download.ts'
import { dispositionOf } from './file-name.ts'
import { parseRange, type Range } from './range.ts'
import { CHUNK_BYTES } from './sealing.ts'

/** Whatever the file is, it must not run or access anything with the origin of this server. */
const POLICY = "sandbox; default-src 'none'"

/** Responds with the file or the requested part (RFC 9110 §14): 200, 206, or `range_not_satisfiable`. */
export async function fileResponse(request: Request, file: StoredFile): Promise<Response> {
  const { size, contentType, name } = file.attachment
  // We send no validator that `If-Range` could match, so its condition is false (RFC 9110 §13.1.5).
  const asked = request.headers.has('if-range') ? null : request.headers.get('range')
  const part = request.method === 'HEAD' ? undefined : parseRange(asked, size)
  const range = part ?? { start: 0, end: size }
  const headers = new Headers({
    'content-type': contentType,
    'content-length': String(range.end - range.start),
    'content-disposition': dispositionOf(
      contentType === UNKNOWN_TYPE ? 'attachment' : 'inline',
      name,
    ),
    'content-security-policy': POLICY,
    'accept-ranges': 'bytes',
  })
  if (part) headers.set('content-range', `bytes ${part.start}-${part.end - 1}/${size}`)
  const body = request.method === 'HEAD' ? null : await bodyOf(file, range)
  return new Response(body, { status: part ? 206 : 200, headers })
}

/** Small bodies in one piece, so that every runtime announces their length; otherwise a stream. */
async function bodyOf(file: StoredFile, range: Range): Promise<BodyInit> {
  const pieces = file.read(range)
  if (range.end - range.start <= CHUNK_BYTES) {
    const parts: Uint8Array[] = []
    for await (const part of pieces) parts.push(part)
    return Buffer.concat(parts)
  }
  // Read before the response starts, so that a file that cannot be opened still
  // gets a regular error response.
  let first: IteratorResult<Uint8Array, void> | undefined = await pieces.next()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = first ?? (await pieces.next())
        first = undefined
        if (done) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        await pieces.return()
      },
    },
    // Nothing is read ahead: a slow client holds one chunk in memory.
    { highWaterMark: 0 },
  )
}
