import { within } from '../platform/deadline.ts'
import { AppError, commonErrors } from '../platform/errors.ts'

/**
 * Reads a JSON body of at most `limit` bytes; throws `payload_too_large` or `invalid_json`. With
 * `orEmpty` an empty body reads as `{}`.
 */
export async function readJson(request: Request, limit: number, orEmpty = false): Promise<unknown> {
  const bytes = await readBytes(request, limit)
  return orEmpty && bytes.length === 0 ? {} : parseJson(bytes)
}

/** Parses UTF-8 JSON; throws `invalid_json`. */
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

/** Parses JSON from a form field that a script fills in; undefined if malformed, in whatever way. */
export function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}

/** Bodies within the limits arrive quickly; a slower sender does not mean to finish. */
const DEADLINE_MS = 20_000

/** Reads at most `limit` bytes; throws `payload_too_large`, `request_timeout` or `incomplete_body`. */
export async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  const announced = request.headers.get('content-length')
  if (Number(announced ?? 0) > limit) throw new AppError(commonErrors.payloadTooLarge)
  if (!request.body) return new Uint8Array()
  try {
    // A Content-Length already bounds the size; a chunked body is limited while it is read.
    const whole = announced === null ? collect(request.body, limit) : readWhole(request)
    return await within(DEADLINE_MS, whole, tooSlow)
  } catch (cause) {
    // A client that disconnects midway is not a server error.
    throw cause instanceof AppError ? cause : new AppError(commonErrors.incompleteBody)
  }
}

function tooSlow(): AppError {
  return new AppError(commonErrors.requestTimeout)
}

async function readWhole(request: Request): Promise<Uint8Array> {
  return new Uint8Array(await request.arrayBuffer())
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
