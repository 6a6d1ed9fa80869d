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
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await within(silenceMs, reader.read())
      if (done) return
      const blocks = (rest + decoder.decode(value, { stream: true })).split(/\r?\n\r?\n/)
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const event = parseEvent(block)
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

function parseEvent(block: string): StreamEvent | undefined {
  const fields = block.split(/\r?\n/).map((line) => /^(\w+): ?(.*)$/.exec(line) ?? [])
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
