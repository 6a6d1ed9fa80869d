import assert from 'node:assert/strict'
import { boot } from '../harness/boot.ts'
import type { MlsDevice } from '../harness/mls.ts'
import { deviceOf } from '../harness/mls-people.ts'
import { assertDone } from '../harness/rest.ts'
import { assertRefusal } from '../harness/xrpc.ts'

const COMMITS = 50

/** In each round, 50 commits made in the same epoch arrive at once. */
export async function raceCommits(rounds: number): Promise<void> {
  await using mimir = await boot()
  const people = await mimir.friends('alice', 'bob', 'carol', 'dave', 'erin')
  const devices: MlsDevice[] = []
  for (const person of people) devices.push(await deviceOf(mimir, person, 1))
  const [first, ...others] = devices as [MlsDevice, ...MlsDevice[]]
  const convoId = await first.createConvo(...others.map(({ did }) => did))
  for (const device of others) await device.join(convoId)

  for (let round = 1; round <= rounds; round++) {
    const made = []
    for (let i = 0; i < COMMITS; i++) {
      const device = devices[i % devices.length] as MlsDevice
      made.push({ device, ...(await device.commit(device.state(convoId), [])) })
    }
    const replies = await Promise.all(
      made.map(({ device, commit }) =>
        device.xrpc.post('addMembers', { convoId, didList: [], commit }),
      ),
    )
    const winners = replies.flatMap((reply, index) => (reply.status === 200 ? [index] : []))
    assert.equal(winners.length, 1, `round ${round}: ${replies.map(({ status }) => status)}`)
    const winner = winners[0] as number
    const { newEpoch, seq } = assertDone(replies[winner] as (typeof replies)[number])
    assert.equal(newEpoch, round + 1)
    assert.equal(seq, round)
    for (const [index, reply] of replies.entries()) {
      if (index === winner) continue
      assertRefusal(reply, 409, 'EpochMismatch')
      assert.deepEqual(
        { ...reply.body, error: undefined, message: undefined },
        {
          ...{ currentEpoch: newEpoch, lastSeq: seq, sinceSeq: seq - 1 },
          ...{ error: undefined, message: undefined },
        },
      )
    }
    const won = made[winner] as (typeof made)[number]
    const page = assertDone(await first.xrpc.get('getMessages', { convoId, sinceSeq: round - 1 }))
    const bytes = page.messages.map(
      (one: { ciphertext: { $bytes: string } }) => one.ciphertext.$bytes,
    )
    assert.deepEqual(bytes, [won.commit.replace(/=+$/, '')])
    won.device.moved(convoId, won.newState, seq)
    for (const device of devices) if (device !== won.device) await device.catchUp(convoId)
    assert.deepEqual(new Set(devices.map((device) => device.epoch(convoId))), new Set([newEpoch]))
  }
  // Checks that they agree on more than the epoch number: a message of one decrypts on all others.
  await first.send(convoId, 'after the races')
  for (const device of others) {
    assert.deepEqual(await device.catchUp(convoId), ['after the races'])
  }
}
