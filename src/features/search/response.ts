const LINES = 'application/x-ndjson'

/** Whether the caller wants each match as soon as it is found, as one line of JSON. */
export function wantsLines(request: Request): boolean {
  return request.headers.get('accept')?.toLowerCase().includes(LINES) ?? false
}

/**
 * Streams the lines as they come. A client that disconnects ends the search;
 * one that does not read pauses it.
 */
export function linesResponse(lines: AsyncGenerator<object>, goneAway: AbortController): Response {
  const text = new TextEncoder()
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await lines.next()
        if (done) controller.close()
        else controller.enqueue(text.encode(`${JSON.stringify(value)}\n`))
      },
      cancel() {
        goneAway.abort()
      },
    },
    { highWaterMark: 0 },
  )
  // Asks proxies that buffer responses, like nginx, not to.
  return new Response(body, { headers: { 'content-type': LINES, 'x-accel-buffering': 'no' } })
}
