/** The request headers that the original's development proxy forwarded. */
const HEADERS = ['authorization', 'content-type', 'accept']
/** The response's length is not passed on: the body arrives here uncompressed. */
const ANSWERED = ['content-type']
const TIMEOUT_MS = 30_000
/** Marks forwarded requests to break loops, however the servers address each other. */
const FORWARDED = 'x-mimir-forwarded'

/**
 * Forwards requests for unknown methods to another server, for development. Its response is passed
 * through; 502 if there is none.
 */
export function forwardTo(upstream: string): (request: Request) => Promise<Response> {
  return async (request) => {
    if (request.headers.has(FORWARDED)) return refused('The upstream server is this one.')
    const { pathname, search } = new URL(request.url)
    const path = pathname.slice(pathname.lastIndexOf('/xrpc/'))
    const headers = pick(request.headers, HEADERS)
    headers.set(FORWARDED, '1')
    try {
      const hasBody = request.method !== 'GET' && request.method !== 'HEAD'
      const answer = await fetch(upstream + path + search, {
        method: request.method,
        headers,
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(hasBody ? { body: await request.arrayBuffer() } : {}),
      })
      const body = await answer.arrayBuffer()
      return new Response(body.byteLength > 0 ? body : null, {
        status: answer.status,
        headers: pick(answer.headers, ANSWERED),
      })
    } catch {
      return refused('The upstream server did not answer.')
    }
  }
}

function refused(message: string): Response {
  return Response.json({ error: 'ProxyError', message }, { status: 502 })
}

function pick(from: Headers, names: readonly string[]): Headers {
  const picked = new Headers()
  for (const name of names) {
    const value = from.get(name)
    if (value !== null) picked.set(name, value)
  }
  return picked
}
