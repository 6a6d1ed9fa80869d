import { readParts } from './read-parts.ts'
import type { JsonObject, StreamEvent } from './transport.ts'

/**
 * Reads server-sent events from a response (WHATWG HTML §9.2.6). `EventSource` is no alternative: it
 * cannot send an Authorization header, and a token in the URL would end up in logs. Throws a `TimeoutError`
 * if nothing arrives for `silenceMs`.
 */
export async function* readEventStream(
  body: ReadableStream<Uint8Array>,
  silenceMs: number,
): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder()
  let lines: string[] = []
  let line = ''
  for await (const part of readParts(body, silenceMs)) {
    // Only the new text is searched: an event of megabytes comes in many parts.
    const [rest = '', ...starts] = decoder.decode(part, { stream: true }).split('\n')
    line += rest
    for (const start of starts) {
      const whole = line.endsWith('\r') ? line.slice(0, -1) : line
      line = start
      if (whole !== '') {
        lines.push(whole)
        continue
      }
      const event = parseEvent(lines)
      lines = []
      if (event) yield event
    }
  }
}

function parseEvent(lines: readonly string[]): StreamEvent | undefined {
  const fields = lines.map((line) => /^(\w+): ?(.*)$/.exec(line) ?? [])
  const valuesOf = (name: string) =>
    fields.flatMap(([, field, value]) => (field === name && value !== undefined ? [value] : []))
  const data = valuesOf('data')
  // Comments only keep the connection alive.
  if (data.length === 0) return undefined
  return {
    type: valuesOf('event')[0] ?? 'message',
    data: JSON.parse(data.join('\n')) as JsonObject,
  }
}
