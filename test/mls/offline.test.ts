import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLASSICAL, HttpTransport, ServiceError } from '../../client/index.ts'
import { boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { mlsDevice } from '../harness/mls-client.ts'
import { TcpProxy } from '../harness/tcp-proxy.ts'

const suites = [CLASSICAL]

test('what is said without a connection waits, and is said once there is one again', async () => {
  await using mimir = await boot()
  await using proxy = await new TcpProxy(mimir.url).start()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const service = proxy.url.replace(/\/$/, '')
  const transport = new HttpTransport({ service, token: () => alice.accessToken })
  const alices = await mlsDevice(mimir, alice, { suites, transport })
  const bobs = await mlsDevice(mimir, bob, { suites })
  const group = await alices.createGroup({ members: [bobs.did] })
  await bobs.sync()

  await proxy.cut()
  for (const text of ['one', 'two']) await assert.rejects(group.send({ text }))
  const waiting = await group.pending()
  assert.deepEqual(
    waiting.map(({ content }) => content.text),
    ['one', 'two'],
  )
  await bobs.group(group.id)?.update()
  await proxy.mend()
  await alices.sync()
  await bobs.sync()
  const history = (await bobs.group(group.id)?.history()) ?? []
  const heard = history.flatMap((each) => (each.kind === 'message' ? [each.content.text] : []))
  assert.deepEqual(heard, ['one', 'two'])
  assert.deepEqual(await group.pending(), [])
})

test('who follows notices a stream that has ended without saying so', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  let streams = 0
  const transport = new HttpTransport({
    service: mimir.url,
    token: () => alice.accessToken,
    silenceMs: 500,
    fetch: withSilentStream(() => {
      streams += 1
      return streams === 1
    }),
  })
  const alices = await mlsDevice(mimir, alice, { suites, transport })
  const bobs = await mlsDevice(mimir, bob, { suites })
  const group = await bobs.createGroup({ members: [alices.did] })
  await alices.sync()
  const trouble: unknown[] = []
  const stop = new AbortController()
  const following = alices.follow(stop.signal, (error) => void trouble.push(error))
  await eventually(() => streams === 1, 'alice does not follow')
  await group.send({ text: 'hello' })
  const heard = async () => {
    const history = (await alices.group(group.id)?.history()) ?? []
    return history.some((each) => each.kind === 'message' && each.content.text === 'hello')
  }
  await eventually(heard, 'alice did not hear hello')
  await eventually(() => streams > 1, 'alice holds on to the silent stream')
  stop.abort()
  await following
  assert.equal((trouble[0] as Error).name, 'TimeoutError')
})

test('who follows begins anew where the service knows nothing of the old stream', async () => {
  await using mimir = await boot()
  await using proxy = await new TcpProxy(mimir.url).start()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const service = proxy.url.replace(/\/$/, '')
  const transport = new HttpTransport({ service, token: () => alice.accessToken })
  const events = transport.events.bind(transport)
  // As if the service had been restored from an older backup.
  transport.events = (nsid, { cursor }, signal, opened) =>
    events(nsid, cursor === undefined ? {} : { cursor: 'of another day' }, signal, opened)
  const alices = await mlsDevice(mimir, alice, { suites, transport })
  const bobs = await mlsDevice(mimir, bob, { suites })
  const group = await bobs.createGroup({ members: [alices.did] })
  const trouble: unknown[] = []
  const stop = new AbortController()
  const following = alices.follow(stop.signal, (error) => void trouble.push(error))
  const heard = (text: string) => async () => {
    const history = (await alices.group(group.id)?.history()) ?? []
    return history.some((each) => each.kind === 'message' && each.content.text === text)
  }
  for (const text of ['before', 'as it happens']) {
    await group.send({ text })
    await eventually(heard(text), `alice did not hear: ${text}`)
  }
  proxy.drop()
  await group.send({ text: 'after' })
  await eventually(heard('after'), 'alice did not hear: after')
  stop.abort()
  await following
  assert.ok(trouble.some((error) => error instanceof ServiceError))
})

/** A fetch whose streams, while `isSilent`, deliver only their first bytes and never end. */
function withSilentStream(isSilent: () => boolean): typeof fetch {
  const send = async (...call: Parameters<typeof fetch>): Promise<Response> => {
    const response = await fetch(...call)
    const isStream = response.headers.get('content-type')?.includes('event-stream')
    if (!isStream || !response.body || !isSilent()) return response
    const reader = response.body.getReader()
    const { value } = await reader.read()
    await reader.cancel()
    const body = new ReadableStream({ start: (controller) => controller.enqueue(value) })
    return new Response(body, { headers: response.headers })
  }
  return Object.assign(send, { preconnect: fetch.preconnect })
}
