import { AppError, commonErrors } from '../../platform/errors.ts'
import { line } from '../../platform/text.ts'

const NAME_MAX = 255
/** Not `.` or `..`: whoever saves the file under its name would name a folder. */
const Name = line(1, NAME_MAX).refine((name) => !/^[.]{1,2}$/.test(name), 'names a folder')

/**
 * The file name given by the client: `X-File-Name` (UTF-8, percent-encoded), else the one of
 * `Content-Disposition` (RFC 6266), else `file`. Throws `validation_failed` if it is not a valid name.
 */
export function fileNameOf(headers: Headers): string {
  const given = headers.get('x-file-name')
  const encoded = given ?? fromDisposition(headers.get('content-disposition') ?? '')
  if (!encoded) return 'file'
  const parsed = Name.safeParse(withoutFolders(decode(encoded)))
  if (parsed.success) return parsed.data
  throw refused(parsed.error.issues[0]?.message ?? 'is no name')
}

function refused(reason: string): AppError {
  return new AppError(commonErrors.validationFailed, { fields: { name: reason } })
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    throw refused('must be UTF-8, percent-encoded')
  }
}

function withoutFolders(name: string): string {
  return name.replace(/^.*[/\\]/s, '')
}

/** Returns the name percent-encoded, in whichever form it was sent; `filename*` wins (RFC 6266 §4.3). */
function fromDisposition(disposition: string): string | undefined {
  const extended = /;\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i.exec(disposition)?.[1]
  if (extended) return extended
  const plain = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))/i.exec(disposition)
  const name = plain?.[1]?.replace(/\\(.)/g, '$1') ?? plain?.[2]
  return name && encodeURIComponent(name.toWellFormed())
}

/**
 * `Content-Disposition` with the name in both forms: ASCII for old clients, and the exact name (RFC 8187).
 */
export function dispositionOf(kind: 'inline' | 'attachment', name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]/g, '_').replace(/["\\%]/g, '_')
  const exact = encodeURIComponent(name).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `${kind}; filename="${ascii}"; filename*=UTF-8''${exact}`
}
