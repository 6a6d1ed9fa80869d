import { Readable } from 'node:stream'
import type { PersonalPart } from '../../db/personal-data.ts'
import { toIso } from '../../platform/clock.ts'

/** The archive's introduction. */
const README = `This archive holds what the server has about you.
The .json files are UTF-8. Message text is what you wrote; what others wrote is theirs and not in here.
attachments/ has the files you uploaded, each by its id and name.
`

/** A zip of the parts, made while it is read: only a piece of it is in memory at a time. */
export async function* archiveOf(
  parts: AsyncIterable<PersonalPart>,
  now: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  // Rarely needed: not loaded at startup.
  const { ZipFile } = await import('yazl')
  const zip = new ZipFile()
  const mtime = new Date(now)
  const output = zip.outputStream as Readable

  async function feed(): Promise<void> {
    zip.addBuffer(Buffer.from(`${README}Made at ${toIso(now)}.\n`), 'README.txt', { mtime })
    for await (const part of parts) {
      const compress = 'rows' in part
      const content = Readable.from(compress ? jsonOf(part.rows) : part.bytes, {
        objectMode: false,
      })
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      content.once('end', resolve).once('error', reject).once('close', resolve)
      zip.addReadStream(content, part.file, { compress, mtime })
      await promise
    }
    zip.end()
  }

  const feeding = feed()
  feeding.catch((error: Error) => output.destroy(error))
  yield* output
  await feeding
}

async function* jsonOf(rows: AsyncIterable<readonly object[]>): AsyncGenerator<Buffer> {
  let separator = '[\n'
  for await (const page of rows) {
    let text = ''
    for (const row of page) {
      text += separator + JSON.stringify(row)
      separator = ',\n'
    }
    yield Buffer.from(text)
  }
  yield Buffer.from(separator === '[\n' ? '[]\n' : '\n]\n')
}
