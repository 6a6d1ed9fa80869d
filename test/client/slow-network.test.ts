import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { HttpTransport } from '../../client/index.ts'

const NSID = 'blue.catbird.mls.example'
const SLOW_MS = 200
const TIMEOUT_MS = 20

function transport(fetch: (signal: AbortSignal) => Promise<Response>, options = {}): HttpTransport {
  return new HttpTransport({
    service: 'http://localhost',
    token: () => 'token',
    timeoutMs: TIMEOUT_MS,
    fetch: ((_url, { signal } = {}) => fetch(signal as AbortSignal)) as typeof globalThis.fetch,
    ...options,
  })
}

/** A response of which the second half comes late, unless the request is aborted before. */
async function inHalves(signal: AbortSignal): Promise<Response> {
  const [first, second] = ['{"half":', '"done"}'].map((half) => new TextEncoder().encode(half))
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(first)
      await pause(SLOW_MS, undefined, { signal })
        .then(() => controller.enqueue(second))
        .then(() => controller.close())
        .catch((error) => controller.error(error))
    },
  })
  return new Response(body)
}

test('a response may take as long as it needs, if it keeps coming', async () => {
  const slow = transport(inHalves)
  assert.deepEqual(await slow.query(NSID, {}), { half: 'done' })
  assert.deepEqual(await slow.procedure(NSID, {}), { half: 'done' })
  assert.equal((await slow.download(NSID, {})).length, 15)
})

test('a response that stops coming is given up', async () => {
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) })
  const silent = transport(async () => new Response(body), { silenceMs: TIMEOUT_MS })
  await assert.rejects(silent.download(NSID, {}), { name: 'TimeoutError' })
})

test('what is long may take long to send', async () => {
  const slow = transport(async (signal) => {
    await pause(SLOW_MS, undefined, { signal })
    return Response.json({ cid: 'x' })
  })
  assert.deepEqual(await slow.upload(NSID, {}, new Uint8Array(1024 * 1024)), { cid: 'x' })
})

test('a request without a response is given up', async () => {
  const silent = transport((signal) => {
    const aborted = Promise.withResolvers<Response>()
    signal.addEventListener('abort', () => aborted.reject(signal.reason))
    return aborted.promise
  })
  await assert.rejects(silent.query(NSID, {}), { name: 'TimeoutError' })
})
