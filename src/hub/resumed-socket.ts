import type { UserActor } from '../policy/actor.ts'
import type { Socket, SocketHandler } from '../runtime/runtime.ts'
import type { Connection } from './connection.ts'

/** Another WebSocket of a connection whose client came back. */
export class ResumedSocket implements SocketHandler {
  private readonly connection: Connection
  private readonly actor: UserActor

  constructor(connection: Connection, actor: UserActor) {
    this.connection = connection
    this.actor = actor
  }

  opened(socket: Socket): void {
    this.connection.resumeOn(socket, this.actor)
  }

  message(socket: Socket, data: string | Uint8Array): void {
    this.connection.message(socket, data)
  }

  closed(socket: Socket, code: number): void {
    this.connection.closed(socket, code)
  }
}
