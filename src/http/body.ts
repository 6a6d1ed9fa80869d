import { AppError, commonErrors } from '../platform/errors.ts'

/** Reads a JSON body of at most `limit` bytes: `payload_too_large`, `invalid_json` otherwise. */
export async function readJson(request: Request, limit: number): Promise<unknown> {
  const bytes = await readBytes(request, limit)
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new AppError(commonErrors.invalidJson, {}, { cause })
  }
}

/** Reads a form (`application/x-www-form-urlencoded`) of at most `limit` bytes. */
export async function readForm(request: Request, limit: number): Promise<Record<string, string>> {
  const bytes = await readBytes(request, limit)
  return Object.fromEntries(new URLSearchParams(new TextDecoder().decode(bytes)))
}

async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  const announced = request.headers.get('content-length')
  if (announced !== null) {
    if (Number(announced) > limit) throw new AppError(commonErrors.payloadTooLarge)
    return new Uint8Array(await request.arrayBuffer())
  }
  if (!request.body) return new Uint8Array()
  // Without a length (chunked) the limit is kept while reading.
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body) {
    size += chunk.byteLength
    if (size > limit) throw new AppError(commonErrors.payloadTooLarge)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
