import { AppError, commonErrors } from '../platform/errors.ts'

/**
 * Reads a JSON body of at most `limit` bytes: `payload_too_large`, `invalid_json` otherwise. With
 * `orEmpty` no body at all is `{}`.
 */
export async function readJson(request: Request, limit: number, orEmpty = false): Promise<unknown> {
  const bytes = await readBytes(request, limit)
  return orEmpty && bytes.length === 0 ? {} : parseJson(bytes)
}

/** UTF-8 as JSON, or `invalid_json`. */
export function parseJson(bytes: Uint8Array): unknown {
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

/** JSON in a field of a form, or undefined: nobody types it, so whatever is wrong is wrong alike. */
export function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}

/** A body this small is there at once, or its sender has no intention of ending it. */
const DEADLINE_MS = 20_000

/** Reads a body of at most `limit` bytes: `payload_too_large`, `incomplete_body` otherwise. */
export async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  const announced = request.headers.get('content-length')
  if (Number(announced ?? 0) > limit) throw new AppError(commonErrors.payloadTooLarge)
  if (!request.body) return new Uint8Array()
  let alarm: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    alarm = setTimeout(() => reject(new AppError(commonErrors.requestTimeout)), DEADLINE_MS)
  })
  try {
    // With a length the whole is bounded; without one (chunked) the limit is kept while reading.
    const whole = announced === null ? collect(request.body, limit) : request.arrayBuffer()
    return new Uint8Array(await Promise.race([whole, deadline]))
  } catch (cause) {
    // Whoever went away in the middle is no fault of the server's.
    throw cause instanceof AppError ? cause : new AppError(commonErrors.incompleteBody)
  } finally {
    clearTimeout(alarm)
  }
}

async function collect(body: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > limit) throw new AppError(commonErrors.payloadTooLarge)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
