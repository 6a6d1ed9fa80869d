import { AppError } from '../platform/errors.ts'
import { xrpcErrors } from './errors.ts'
import { errorBody } from './on-error.ts'
import { carry, KEEP_ALIVE_MS, type OpenStream } from './stream.ts'

/**
 * An event stream as server-sent events (WHATWG HTML §9.2). Events are read only as fast as the client
 * takes them, and a client that takes none for too long is dropped. `id` is the cursor, which browsers
 * send back as `Last-Event-ID`.
 */
export async function eventStreamResponse(stream: OpenStream): Promise<Response> {
  const { patienceMs } = stream.limits
  const { validator, method } = stream
  const session = stream.sessions.open(stream.actor)
  const text = new TextEncoder()
  let wanted: (() => void) | undefined
  let keepAlive: NodeJS.Timeout | undefined

  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        session.signal.addEventListener('abort', () => wanted?.(), { once: true })
        // Sent at once, so that the client knows it is connected.
        controller.enqueue(text.encode(': connected\n\n'))
        keepAlive = setInterval(() => {
          if ((controller.desiredSize ?? 0) > 0) controller.enqueue(text.encode(':\n\n'))
        }, KEEP_ALIVE_MS).unref()
        void carry(stream, session, {
          async write({ type, body }) {
            while ((controller.desiredSize ?? 0) <= 0 && !session.signal.aborted) {
              const isTaken = await new Promise<boolean>((resolve) => {
                const deadline = setTimeout(() => resolve(false), patienceMs).unref()
                wanted = () => {
                  clearTimeout(deadline)
                  resolve(true)
                }
              })
              if (!isTaken) throw new AppError(xrpcErrors.consumerTooSlow)
            }
            if (session.signal.aborted) return
            const { cursor } = body as { readonly cursor?: string }
            const data = JSON.stringify(validator.event(method.nsid, type, body, false))
            const id = cursor === undefined ? '' : `id: ${cursor}\n`
            controller.enqueue(text.encode(`${id}event: ${type}\ndata: ${data}\n\n`))
          },
          async end(refusal) {
            clearInterval(keepAlive)
            if (refusal) {
              const data = JSON.stringify(errorBody(refusal))
              controller.enqueue(text.encode(`event: error\ndata: ${data}\n\n`))
            }
            controller.close()
          },
        })
      },
      pull() {
        wanted?.()
      },
      cancel() {
        clearInterval(keepAlive)
        session.end()
      },
    },
    { highWaterMark: 2 },
  )
  return new Response(body, {
    headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
  })
}
