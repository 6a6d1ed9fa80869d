const LINES = 'application/x-ndjson'

/** Whether the caller asks for each match as soon as it is found, a line of JSON each. */
export function wantsLines(request: Request): boolean {
  return request.headers.get('accept')?.toLowerCase().includes(LINES) ?? false
}

/** The lines as they come; whoever goes away or does not read ends or halts the search. */
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
  // Proxies that collect an answer before they pass it on, like nginx, are asked not to.
  return new Response(body, { headers: { 'content-type': LINES, 'x-accel-buffering': 'no' } })
}
