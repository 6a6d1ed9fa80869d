import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readEventStream } from '../../client/delivery/event-stream.ts'

const SILENCE_MS = 60_000

async function readIn(parts: number, text: string) {
  const bytes = new TextEncoder().encode(text)
  let at = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, at + parts))
      at += parts
    },
  })
  const events: unknown[] = []
  for await (const event of readEventStream(body, SILENCE_MS)) events.push(event)
  return events
}

test('events are the same in whatever parts they come', async () => {
  const text = [
    ': connected',
    '',
    'id: 1',
    'event: messageEvent',
    'data: {"text":"grüß dich 👋"}',
    '',
    ':',
    '',
    'data: {"two":',
    'data: "lines"}',
    '',
    'data: {"cut":"off"}',
  ]
  const expected = [
    { type: 'messageEvent', data: { text: 'grüß dich 👋' } },
    { type: 'message', data: { two: 'lines' } },
  ]
  for (const end of ['\n', '\r\n']) {
    for (const parts of [1, 2, 3, 5, 7, 1000]) {
      assert.deepEqual(await readIn(parts, text.join(end)), expected, `${parts} bytes at a time`)
    }
  }
})

test('the largest message is read in time that grows with its length, not with its square', async () => {
  const data = { ciphertext: 'A'.repeat(14 * 1024 * 1024) }
  const text = `event: messageEvent\ndata: ${JSON.stringify(data)}\n\n`
  const [event] = (await readIn(1024, text)) as { data: typeof data }[]
  assert.equal(event?.data.ciphertext.length, data.ciphertext.length)
})
