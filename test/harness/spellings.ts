/** The name of the encoding in which the bytes contain the text: plain, UTF-16, hexadecimal or base64. */
export function findText(bytes: Buffer, text: string): string | undefined {
  const spellings = {
    plain: Buffer.from(text),
    UTF16: Buffer.from(text, 'utf16le'),
    hexadecimal: Buffer.from(Buffer.from(text).toString('hex')),
    ...inBase64(text),
  }
  return Object.entries(spellings).find(([, spelling]) => bytes.includes(spelling))?.[0]
}

/** Base64 depends on the offset modulo 3: all three ways, without the characters at the edges. */
function inBase64(text: string): Record<string, Buffer> {
  const ways = [0, 1, 2].map((before) => {
    const whole = Buffer.from('\0'.repeat(before) + text).toString('base64')
    const inner = whole.replace(/=+$/, '').slice(Math.ceil((before * 8) / 6), -1)
    return [`base64 ${before}`, Buffer.from(inner)]
  })
  return Object.fromEntries(ways)
}
