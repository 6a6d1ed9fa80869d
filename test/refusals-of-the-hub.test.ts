import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hubMethods } from '../src/app/features.ts'
import type { HubMethod } from '../src/hub/define-method.ts'
import type { HubClient } from './harness/hub.ts'
import { type Scene, setScene } from './refusals/scene.ts'
import { HOSTILE, ID, valuesOf } from './refusals/values.ts'

/** What a caller unrelated to the conversation, message or person is told; `dropped` means nothing. */
const TO_A_STRANGER: Record<string, string> = {
  SendMessage: 'not_member',
  MarkConversationRead: 'not_member',
  Typing: 'dropped',
  EditMessage: 'not_member',
  DeleteMessage: 'not_member',
  React: 'not_member',
  OfferCall: 'not_friends',
  AnswerCall: 'call_not_found',
  SendIceCandidate: 'dropped',
  RejectCall: 'dropped',
  EndCall: 'dropped',
  Resume: 'invalid_cursor',
}

/** The refusal of an invalid argument, as opposed to one that names something foreign to the caller. */
const OF_AN_ARGUMENT = /HubException: (invalid_\w+|empty_content|content_too_long)$/

/** Checks that everything is refused, no row changes, and the connection still works. */
async function walk(
  scene: Scene,
  who: Scene['alice'],
  refusals: (hub: HubClient, method: HubMethod) => Promise<void>,
): Promise<void> {
  const hub = await who.connect()
  const before = await scene.rows()
  for (const method of hubMethods) {
    await refusals(hub, method)
    await hub.assertRefused('invalid_conversation_id', 'SendMessage', 'still there?', 'text')
  }
  assert.deepEqual(await scene.rows(), before)
  assert.equal(hub.closed, false)
  if (who !== scene.carol) await hub.invoke('SendMessage', scene.groupId, 'still here')
}

/** Arguments that would be accepted if they named existing things. */
function argumentsFor({ schemas }: HubMethod, id: string): unknown[] {
  return schemas.map((schema) => {
    const { good } = valuesOf(schema)
    return good === ID ? id : good
  })
}

test('too few and too many arguments are refused in the words of the original server', async () => {
  await using scene = await setScene()
  await walk(scene, scene.alice, async (hub, method) => {
    const [min, max] = method.arity
    const good = argumentsFor(method, scene.groupId)
    const tooFew =
      min > 0
        ? ([
            [good.slice(0, min - 1), min],
            [[], min],
          ] as const)
        : []
    for (const [given, expected] of [...tooFew, [[...good, 'more'], max] as const]) {
      const counts = `provides ${given.length} argument\\(s\\) but target expects ${expected}`
      await assert.rejects(hub.invoke(method.name, ...given), new RegExp(counts), method.name)
    }
  })
})

test('every argument of every method is refused by a code of its own when it breaks its rule', async () => {
  await using scene = await setScene()
  await walk(scene, scene.alice, async (hub, method) => {
    const good = argumentsFor(method, scene.groupId)
    for (const [position, schema] of method.schemas.entries()) {
      const { bad } = valuesOf(schema)
      assert.ok(bad.length > 3, `${method.name} takes anything as its argument ${position}`)
      for (const value of bad) {
        const args = good.with(position, value)
        const what = `${method.name}(${JSON.stringify(args)})`
        await assert.rejects(hub.invoke(method.name, ...args), OF_AN_ARGUMENT, what)
      }
    }
  })
})

test('no text, however odd, makes a method fail inside', async () => {
  await using scene = await setScene()
  const hub = await scene.alice.connect()
  for (const method of hubMethods) {
    const good = argumentsFor(method, scene.groupId)
    for (const [position] of method.schemas.entries()) {
      for (const text of HOSTILE) {
        const outcome = await hub.invoke(method.name, ...good.with(position, text)).catch(String)
        assert.doesNotMatch(String(outcome), /internal_error/, `${method.name} ${position}`)
      }
    }
  }
})

test('a stranger is refused or not heard, whatever they invoke, and nobody else hears of it', async () => {
  await using scene = await setScene()
  const names = hubMethods.map(({ name }) => name).sort()
  assert.deepEqual(names, Object.keys(TO_A_STRANGER).sort())
  const insider = await scene.alice.connect()
  await walk(scene, scene.carol, async (hub, method) => {
    const target = method.name.match(/Message$|^React$/) && method.name !== 'SendMessage'
    const isOfPerson = /Call|Ice/.test(method.name)
    const theirs = isOfPerson ? scene.alice.id : target ? scene.messageId : scene.groupId
    for (const id of [theirs, ID]) {
      const call = () => hub.invoke(method.name, ...argumentsFor(method, id))
      const code = TO_A_STRANGER[method.name] as string
      if (code === 'dropped') assert.ok(!(await call()), method.name)
      else await assert.rejects(call(), new RegExp(`HubException: ${code}$`), method.name)
    }
  })
  const heard = insider.received.filter(({ name }) => name !== 'PresenceChanged')
  assert.deepEqual(heard, [])
})

test('methods that do not exist, and streams of those that do, are refused', async () => {
  await using scene = await setScene()
  await walk(scene, scene.alice, async (hub, method) => {
    await assert.rejects(hub.invoke(`${method.name}s`), /Method does not exist/)
    await assert.rejects(hub.invoke('constructor'), /Method does not exist/)
    const streamed = new Promise((_, reject) => {
      hub.connection.stream(method.name).subscribe({ next() {}, complete() {}, error: reject })
    })
    await assert.rejects(streamed, /non-streaming/)
  })
})
