/** What a file is served as that is not known to be safe: a browser saves it and shows nothing. */
export const UNKNOWN_TYPE = 'application/octet-stream'

/** Bytes of the beginning that `sniffType` wants to see, if there are as many. */
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
 * The type of a file by its first bytes: one of the images, sounds and films that cannot run anything,
 * else `application/octet-stream`. What the client `declared` only tells sound from film where one
 * container holds both.
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
  // Matroska (EBML, RFC 8794) says near its beginning which of its kinds it is.
  if (tag(0, 4) === '\x1a\x45\xdf\xa3' && tag(4, SNIFFED_BYTES).includes('webm')) {
    return isSound ? 'audio/webm' : 'video/webm'
  }
  return sniffFrames(head)
}

/** Sound without a container: the first frame's header, of AAC (ADTS) or of MP3 (MPEG layer III). */
function sniffFrames(head: Buffer): string {
  const [sync = 0, flags = 0, rates = 0xff] = head
  if (sync === 0xff && (flags & 0xf6) === 0xf0) return 'audio/aac'
  const isLayer3 = sync === 0xff && (flags & 0xe6) === 0xe2
  const hasRates = rates >> 4 !== 0 && rates >> 4 !== 15 && ((rates >> 2) & 3) !== 3
  return isLayer3 && hasRates ? 'audio/mpeg' : UNKNOWN_TYPE
}
