import type { HubProtocol, WireRecord } from './messages.ts'

/** An event for any number of connections, encoded on demand and at most once per protocol. */
export class EventRecord {
  private readonly target: string
  private readonly argument: unknown
  private json: WireRecord | undefined
  private messagePack: WireRecord | undefined

  constructor(target: string, argument: unknown) {
    this.target = target
    this.argument = argument
  }

  in(protocol: HubProtocol): WireRecord {
    if (protocol.name === 'json') {
      this.json ??= this.encode(protocol)
      return this.json
    }
    this.messagePack ??= this.encode(protocol)
    return this.messagePack
  }

  private encode(protocol: HubProtocol): WireRecord {
    const { target, argument } = this
    return protocol.encode({ kind: 'invocation', target, argument })
  }
}
