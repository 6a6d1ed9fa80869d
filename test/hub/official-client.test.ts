import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { HubConnection } from '@microsoft/signalr'
import { z } from 'zod'
import { argument, defineHubMethod } from '../../src/hub/define-method.ts'
import type { House } from './harness.ts'
import { openHouse, until } from './harness.ts'

const whole = { name: 'A', permission: 'signed-in', rate: 'unlimited', args: [] } as const
const { permission: _permission, ...withoutPermission } = whole
const { rate: _rate, ...withoutRate } = whole
const run = async () => undefined
const text = argument(z.string(), 'invalid_text')

/** A definition without a permission or a rate class must not compile. */
export const incomplete = [
  // @ts-expect-error no permission
  () => defineHubMethod({ ...withoutPermission, run }),
  // @ts-expect-error no rate class
  () => defineHubMethod({ ...withoutRate, run }),
  // @ts-expect-error the argument is a string
  () => defineHubMethod({ ...whole, args: [text], run: async (_c, _a, [x]) => Math.abs(x) }),
]

describe('with the official client', () => {
  let house: House
  let ann: HubConnection
  before(async () => {
    house = await openHouse()
    ann = house.client('ann')
    await ann.start()
  })
  after(() => house.close())

  test('a method answers, whatever the case of its name', async () => {
    const echo = { said: 'hi', operation: 'hub:Echo' }
    assert.deepEqual(await ann.invoke('Echo', 'hi'), echo)
    assert.deepEqual(await ann.invoke('echo', 'hi', { a: 1 }), { ...echo, extra: { a: 1 } })
    assert.equal(await ann.invoke('Note', 'quiet'), undefined)
  })

  test('each failure has its text', async () => {
    const failed = (name: string) => `Failed to invoke '${name}' due to an error on the server.`
    const threw = (name: string) => `An unexpected error occurred invoking '${name}' on the server.`
    const refusals: [string, unknown[], string][] = [
      ['Boom', ['refuse'], `${threw('Boom')} HubException: not_member`],
      ['Boom', ['unforeseen'], `${threw('Boom')} HubException: internal_error`],
      ['Echo', [7], `${threw('Echo')} HubException: invalid_text`],
      ['Administer', [], `${threw('Administer')} HubException: forbidden`],
      ['Nothing', [], `${failed('Nothing')} HubException: Method does not exist.`],
      [
        'Echo',
        [],
        `${failed('Echo')} InvalidDataException: Invocation provides 0 argument(s) but target expects 1.`,
      ],
      [
        'Note',
        ['a', 'b'],
        `${failed('Note')} InvalidDataException: Invocation provides 2 argument(s) but target expects 1.`,
      ],
    ]
    for (const [method, args, message] of refusals) {
      await assert.rejects(ann.invoke(method, ...args), { message })
    }
    const logged = house.log.filter((line) => line.includes('hub method failed'))
    assert.equal(logged.length, 1)
    assert.ok(!logged[0]?.includes('unforeseen'))
  })

  test('a stream call is refused by a completion', async () => {
    const failure = await new Promise((resolve) => {
      ann.stream('Echo', 'a').subscribe({ next() {}, complete() {}, error: resolve })
    })
    assert.match(String(failure), /non-streaming 'Echo' method/)
  })

  test('fire and forget is run and not answered', async () => {
    await ann.send('Note', 'forgotten')
    await until(() => house.calls.includes('forgotten'), 'the call')
  })

  test('calls start in their order', async () => {
    house.calls.length = 0
    const numbers = Array.from({ length: 200 }, (_, index) => `n${index}`)
    await Promise.all(numbers.map((number) => ann.invoke('Note', number)))
    assert.deepEqual(house.calls, numbers)
  })

  test('events and signals reach their audience, joins before and leaves after', async () => {
    const bob = house.client('bob')
    const heard: string[] = []
    for (const target of ['MessageReceived', 'Typing']) {
      ann.on(target, (text: string) => heard.push(`ann ${text}`))
      bob.on(target, (text: string) => heard.push(`bob ${text}`))
    }
    await bob.start()
    const everyone = { kind: 'conversation', id: 'everyone' } as const
    const pair = { kind: 'conversation', id: 'pair' } as const
    const said = { tenantId: 'default', name: 'MessageReceived', subjectId: 's' } as const
    house.hub.events([
      { ...said, audience: everyone, payload: '1' },
      { ...said, audience: pair, payload: '2' },
      { ...said, audience: pair, payload: '3', joins: ['ann', 'bob'] },
      { ...said, audience: pair, payload: '4', leaves: ['bob'] },
      { ...said, audience: pair, payload: '5' },
      { ...said, audience: { kind: 'user', id: 'bob' }, payload: '6' },
    ])
    house.hub.signal({ audience: everyone, name: 'Typing', payload: 'last' })
    await until(() => heard.filter((line) => line.endsWith('last')).length === 2, 'the last')
    const of = (name: string) => heard.filter((line) => line.startsWith(name)).join(',')
    assert.equal(of('ann'), 'ann 1,ann 3,ann 4,ann 5,ann last')
    assert.equal(of('bob'), 'bob 1,bob 3,bob 4,bob 6,bob last')
    await bob.stop()
    await until(() => house.presence.includes('disconnected bob'), 'presence')
  })

  test('an order to disconnect ends one session for good', async () => {
    const phone = house.client('cleo.phone')
    const laptop = house.client('cleo.laptop')
    await phone.start()
    await laptop.start()
    const ended = new Promise<Error | undefined>((resolve) => phone.onclose(resolve))
    house.hub.disconnect({ userId: 'cleo', sessionId: 'phone', reason: 'session_revoked' })
    assert.match(String(await ended), /session_revoked/)
    assert.equal(await laptop.invoke('Note', 'still here'), undefined)
  })

  test('negotiation asks for a good token and offers WebSockets only', async () => {
    const refused = await fetch(`${house.url}/negotiate?negotiateVersion=1`, { method: 'POST' })
    assert.equal(refused.status, 401)
    assert.equal(refused.headers.get('www-authenticate'), 'Bearer')
    const body = (await refused.json()) as Record<string, unknown>
    assert.equal(body.error, 'unauthorized')
    assert.ok(body.requestId)

    const headers = { authorization: 'Bearer ann' }
    const ask = async (query: string) => {
      const response = await fetch(`${house.url}/negotiate${query}`, { method: 'POST', headers })
      return (await response.json()) as Record<string, unknown>
    }
    const first = await ask('?negotiateVersion=1')
    const transport = { transport: 'WebSockets', transferFormats: ['Text', 'Binary'] }
    assert.deepEqual(first.availableTransports, [transport])
    assert.equal(first.negotiateVersion, 1)
    assert.ok(first.connectionId && first.connectionToken)
    assert.equal(first.useStatefulReconnect, undefined)
    assert.equal((await ask('')).connectionToken, undefined)

    await assert.rejects(house.client('bad').start(), /401|Unauthorized/)
    const raw = await house.raw('bad')
    await raw.gone()
    assert.equal(house.hub.counts().users, 2)
  })
})
