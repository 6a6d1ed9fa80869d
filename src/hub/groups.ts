import type { Audience } from '../events/event.ts'
import type { EventRecord } from './event-record.ts'
import type { HubProtocol, WireRecord } from './messages.ts'

/** What the groups know of a connection. */
export interface GroupConnection {
  readonly connectionId: string
  readonly actor: { readonly userId: string }
  readonly protocol: HubProtocol
  send(record: WireRecord): void
}

interface Member<C> {
  readonly connections: C[]
  readonly audiences: Set<string>
  /** Running reads of the user's conversations, and the conversations left in the meantime. */
  reads: number
  readonly leftMeanwhile: Set<string>
}

/**
 * Who is connected, and which conversations reach them. Membership is per user, not per connection, so
 * that ten devices need one entry per conversation.
 */
export class Groups<C extends GroupConnection> {
  private readonly members = new Map<string, Member<C>>()
  private readonly audiences = new Map<string, Set<Member<C>>>()

  get users(): number {
    return this.members.size
  }

  /** Registers a connection of its user; returns false if the user already has `limit` of them. */
  add(connection: C, limit: number): boolean {
    const { userId } = connection.actor
    const member = this.members.get(userId)
    if (member === undefined) {
      this.members.set(userId, memberWith(connection))
      return true
    }
    if (member.connections.length >= limit) return false
    member.connections.push(connection)
    return true
  }

  /** Forgets a connection; one that was not registered is ignored. */
  remove(connection: C): void {
    const { userId } = connection.actor
    const member = this.members.get(userId)
    const index = member?.connections.indexOf(connection) ?? -1
    if (member === undefined || index === -1) return
    member.connections.splice(index, 1)
    if (member.connections.length > 0) return
    this.members.delete(userId)
    for (const id of member.audiences) this.part(member, id)
  }

  /** Joins a connected user to the conversations that `read` finds, except those left in the meantime. */
  async joinAll(userId: string, read: () => Promise<readonly string[]>): Promise<void> {
    const member = this.members.get(userId)
    if (member === undefined) return
    member.reads += 1
    try {
      const ids = await read()
      if (this.members.get(userId) !== member) return
      for (const id of ids) if (!member.leftMeanwhile.has(id)) this.enter(member, id)
    } finally {
      member.reads -= 1
      if (member.reads === 0) member.leftMeanwhile.clear()
    }
  }

  join(audience: Audience, userIds: readonly string[]): void {
    if (audience.kind !== 'conversation') return
    for (const userId of userIds) {
      const member = this.members.get(userId)
      if (member === undefined) continue
      member.leftMeanwhile.delete(audience.id)
      this.enter(member, audience.id)
    }
  }

  leave(audience: Audience, userIds: readonly string[]): void {
    if (audience.kind !== 'conversation') return
    for (const userId of userIds) {
      const member = this.members.get(userId)
      if (member === undefined) continue
      if (member.reads > 0) member.leftMeanwhile.add(audience.id)
      member.audiences.delete(audience.id)
      this.part(member, audience.id)
    }
  }

  /** Whether a delivery to this audience would reach anyone here. */
  reaches(audience: Audience): boolean {
    const index = audience.kind === 'user' ? this.members : this.audiences
    return index.has(audience.id)
  }

  /** Queues an event to every connection of the audience but one. */
  deliver(audience: Audience, event: EventRecord, exceptConnectionId?: string): void {
    if (audience.kind === 'user') {
      const member = this.members.get(audience.id)
      if (member !== undefined) deliverTo(member, event, exceptConnectionId)
      return
    }
    for (const member of this.audiences.get(audience.id) ?? []) {
      deliverTo(member, event, exceptConnectionId)
    }
  }

  /** A copy of the user's connections, since they may be removed while the caller iterates. */
  connectionsOf(userId: string): C[] {
    return [...(this.members.get(userId)?.connections ?? [])]
  }

  private enter(member: Member<C>, id: string): void {
    member.audiences.add(id)
    const group = this.audiences.get(id)
    if (group === undefined) this.audiences.set(id, new Set([member]))
    else group.add(member)
  }

  private part(member: Member<C>, id: string): void {
    const group = this.audiences.get(id)
    if (group?.delete(member) && group.size === 0) this.audiences.delete(id)
  }
}

function memberWith<C>(connection: C): Member<C> {
  return { connections: [connection], audiences: new Set(), reads: 0, leftMeanwhile: new Set() }
}

function deliverTo<C extends GroupConnection>(
  member: Member<C>,
  event: EventRecord,
  exceptConnectionId: string | undefined,
): void {
  // Backwards, because a connection that `send` drops removes itself from the list.
  for (let index = member.connections.length - 1; index >= 0; index -= 1) {
    const connection = member.connections[index]
    if (connection !== undefined && connection.connectionId !== exceptConnectionId) {
      connection.send(event.in(connection.protocol))
    }
  }
}
