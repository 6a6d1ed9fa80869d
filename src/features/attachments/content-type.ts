/** Served for files that are not known to be safe: browsers save them instead of showing them. */
export const UNKNOWN_TYPE = 'application/octet-stream'

/** How many leading bytes `sniffType` wants to see, if the file has as many. */
export const SNIFFED_BYTES = 64

const BEGINNINGS: readonly [type: string, beginning: Buffer][] = [
  ['image/png', Buffer.from('89504e470d0a1a0a', 'hex')],
  ['image/jpeg', Buffer.from('ffd8ff', 'hex')],
  ['image/gif', Buffer.from('GIF87a')],
  ['image/gif', Buffer.from('GIF89a')],
  ['audio/flac', Buffer.from('fLaC')],
  ['audio/mpeg', Buffer.from('ID3')],
]

/** Brands of the ISO base media format (ISO/IEC 14496-12) that browsers play. */
const MP4_BRANDS = /^(isom|iso[2-9]|mp4[12]|avc1|av01|dash|M4V |MSNV|3gp[4-9])/

/**
 * Detects a file's type by its first bytes: an image, audio or video type that cannot run
 * code, else `application/octet-stream`. The client's `declared` type only tells audio from
 * video in containers that hold either.
 */
export function sniffType(head: Buffer, declared: string): string {
  for (const [type, beginning] of BEGINNINGS) {
    if (head.subarray(0, beginning.length).equals(beginning)) return type
  }
  const isSound = declared.startsWith('audio/')
  const tag = (from: number, to: number) => head.toString('latin1', from, to)
  if (tag(0, 4) === 'RIFF' && tag(8, 12) === 'WEBP') return 'image/webp'
  if (tag(0, 4) === 'RIFF' && tag(8, 12) === 'WAVE') return 'audio/wav'
  if (tag(0, 4) === 'OggS') return tag(28, 35) === '\x80theora' ? 'video/ogg' : 'audio/ogg'
  if (tag(4, 8) === 'ftyp') {
    const brand = tag(8, 12)
    if (/^M4[AB] /.test(brand)) return 'audio/mp4'
    if (MP4_BRANDS.test(brand)) return isSound ? 'audio/mp4' : 'video/mp4'
  }
  // Matroska (EBML, RFC 8794) names its document type near the beginning.
  if (tag(0, 4) === '\x1a\x45\xdf\xa3' && tag(4, SNIFFED_BYTES).includes('webm')) {
    return isSound ? 'audio/webm' : 'video/webm'
  }
  return sniffFrames(head)
}

/** Audio without a container, detected by the first frame's header: AAC (ADTS) or MP3 (MPEG layer III). */
function sniffFrames(head: Buffer): string {
  const [sync = 0, flags = 0, rates = 0xff] = head
  if (sync === 0xff && (flags & 0xf6) === 0xf0) return 'audio/aac'
  const isLayer3 = sync === 0xff && (flags & 0xe6) === 0xe2
  const hasRates = rates >> 4 !== 0 && rates >> 4 !== 15 && ((rates >> 2) & 3) !== 3
  return isLayer3 && hasRates ? 'audio/mpeg' : UNKNOWN_TYPE
}
