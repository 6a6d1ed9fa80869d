/**
 * The parts of a response's body as they arrive. Throws a `TimeoutError` if nothing arrives for `silenceMs`,
 * because a connection lost while the device sleeps often never ends.
 */
export async function* readParts(
  body: ReadableStream<Uint8Array>,
  silenceMs: number,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await within(silenceMs, reader.read())
      if (done) return
      yield value
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const silence = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    silence.reject(new DOMException('The response has gone silent.', 'TimeoutError'))
  }, milliseconds)
  try {
    return await Promise.race([work, silence.promise])
  } finally {
    clearTimeout(timer)
  }
}
