import assert from 'node:assert/strict'
import type { HistoryEntry } from '../../client/index.ts'
import type { SimulatedDevice } from './simulation.ts'

type Message = Extract<HistoryEntry, { kind: 'message' }>

/** From where in the log, and which epoch, to where it ends; without an end it continues. */
interface Membership {
  readonly seq: number
  readonly epoch: number
  end?: { readonly seq: number; readonly epoch: number }
}

/**
 * Asserts that all member devices have the same epoch and secret, and that each has read exactly what was
 * sent during its membership, in the same order.
 */
export async function assertAgreement(members: SimulatedDevice[], id: string): Promise<void> {
  assert.ok(members.length > 0, 'somebody is left in the group')
  const secrets = await Promise.all(
    members.map(async ({ device }) => {
      const group = device.group(id)
      const secret = await group?.exportSecret('agreement')
      return `${group?.epoch} ${Buffer.from(secret ?? []).toString('hex')}`
    }),
  )
  assert.deepEqual(new Set(secrets).size, 1, `one epoch and one secret: ${secrets.join(', ')}`)

  const histories = await Promise.all(
    members.map(({ device }) => device.group(id)?.history({ limit: 100_000 })),
  )
  const entries = new Map<number, HistoryEntry>()
  for (const entry of histories.flatMap((history) => history ?? [])) {
    assert.notEqual(entry.kind, 'unreadable', `entry ${entry.seq} can be read`)
    if (entry.kind !== 'joined') entries.set(entry.seq, entry)
  }
  const log = [...entries.values()].sort((a, b) => a.seq - b.seq)
  for (const [at, { device }] of members.entries()) {
    const history = histories[at] ?? []
    assert.deepEqual(
      history.map(({ seq }) => seq),
      history.map(({ seq }) => seq).sort((a, b) => a - b),
    )
    const read = history.filter((entry): entry is Message => entry.kind === 'message')
    const memberships = membershipsOf(device.key, history, log)
    const last = memberships.at(-1)
    assert.ok(last && !last.end, `${device.key} is a member by the log`)
    const due = messagesOf(log).filter((message) => isIn(last, message))
    const texts = (list: Message[]) => list.map(({ seq, id, content }) => [seq, id, content])
    assert.deepEqual(texts(read.filter(({ seq }) => seq > last.seq)), texts(due), device.key)
    const strange = read.filter((message) => !memberships.some((each) => isIn(each, message)))
    assert.deepEqual(strange, [], `${device.key} has read nothing of the time without it`)
  }
}

function messagesOf(log: HistoryEntry[]): Message[] {
  return log.filter((entry): entry is Message => entry.kind === 'message')
}

/** A device's own history says where it joined; the full log says where it was removed. */
function membershipsOf(key: string, history: HistoryEntry[], log: HistoryEntry[]): Membership[] {
  const joins = history.filter(({ kind }) => kind === 'joined')
  const isFounder = history[0]?.kind !== 'joined'
  const begins: Membership[] = isFounder ? [{ seq: 0, epoch: 0 }, ...joins] : joins
  for (const join of joins) {
    const commit = log.find(({ seq }) => seq === join.seq)
    if (commit?.kind !== 'change') continue
    assert.equal(commit.epoch, join.epoch)
    assert.ok([...commit.added, commit.by].some((each) => each?.device === key))
  }
  return begins.map(({ seq, epoch }, at) => {
    const before = begins[at + 1]?.seq ?? Number.POSITIVE_INFINITY
    const end = log.find(
      (entry) =>
        entry.kind === 'change' &&
        entry.seq > seq &&
        entry.seq < before &&
        entry.removed.some(({ device }) => device === key),
    )
    return end ? { seq, epoch, end } : { seq, epoch }
  })
}

function isIn(membership: Membership, { seq, epoch }: Message): boolean {
  const { end } = membership
  return (
    seq > membership.seq &&
    epoch >= membership.epoch &&
    (!end || (seq < end.seq && epoch < end.epoch))
  )
}
