import assert from 'node:assert/strict'
import { type ClientState, emptyPskIndex, processPrivateMessage } from 'ts-mls'
import { DeliveryService } from '../../client/delivery/delivery-service.ts'
import { decodeMessage } from '../../client/mls/codec.ts'
import { suite } from '../../client/mls/suites.ts'
import type { SimulatedDevice } from './simulation.ts'

/**
 * Copies the keys of devices before they are removed from a group, and tries them on everything sent
 * afterwards: a removed device deletes its keys, a thief does not.
 */
export class Thief {
  readonly #id: string
  readonly #copies: { key: string; state: ClientState }[] = []

  constructor(id: string) {
    this.#id = id
  }

  copy({ device }: SimulatedDevice): void {
    const state = device.group(this.#id)?.snapshot.state
    if (state) this.#copies.push({ key: device.key, state })
  }

  /** Reads the log through a member that is still in the group. */
  async assertNothingReadable(member: SimulatedDevice | undefined): Promise<void> {
    const group = member?.device.group(this.#id)
    if (!member || !group) return
    const removals = (await group.history({ limit: 100_000 })).flatMap((entry) =>
      entry.kind === 'change' ? entry.removed.map(({ device }) => ({ device, at: entry })) : [],
    )
    const { entries } = await new DeliveryService(member.network).getLog(this.#id, 0)
    for (const { key, state } of this.#copies) {
      const epoch = Number(state.groupContext.epoch)
      // The removal that ended the membership during which the copy was made, if any.
      const removal = removals.find(({ device, at }) => device === key && at.epoch > epoch)
      if (!removal) continue
      for (const { bytes, seq } of entries) {
        const message = decodeMessage(bytes)
        if (message.wireformat !== 'mls_private_message' || seq < removal.at.seq) continue
        const cs = await suite(state.groupContext.cipherSuite as Parameters<typeof suite>[0])
        const opening = processPrivateMessage(state, message.privateMessage, emptyPskIndex, cs)
        await assert.rejects(opening, `entry ${seq} stays closed to ${key}`)
      }
    }
  }
}
