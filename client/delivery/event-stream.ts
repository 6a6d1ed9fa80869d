import type { JsonObject, StreamEvent } from './transport.ts'

/**
 * Reads server-sent events from a response (WHATWG HTML §9.2.6). `EventSource` is no alternative: it
 * cannot send an Authorization header, and a token in the URL would end up in logs. Throws if nothing
 * arrives for `silenceMs`, because a connection lost while the device sleeps often never ends.
 */
export async function* readEventStream(
  body: ReadableStream<Uint8Array>,
  silenceMs: number,
): AsyncGenerator<StreamEvent> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let lines: string[] = []
  let line = ''
  try {
    for (;;) {
      const { done, value } = await within(silenceMs, reader.read())
      if (done) return
      // Only the new text is searched: an event of megabytes comes in many parts.
      const [rest = '', ...starts] = decoder.decode(value, { stream: true }).split('\n')
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
  } finally {
    reader.cancel().catch(() => {})
  }
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const silence = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    silence.reject(new DOMException('The event stream has gone silent.', 'TimeoutError'))
  }, milliseconds)
  try {
    return await Promise.race([work, silence.promise])
  } finally {
    clearTimeout(timer)
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
