import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

/** The official client of the Model Context Protocol, connected as the bearer of a credential. */
export class McpClient implements AsyncDisposable {
  readonly client = new Client({ name: 'test', version: '1' })

  async connect(url: string, credential: string): Promise<this> {
    const headers = { authorization: `Bearer ${credential}` }
    const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
      requestInit: { headers },
    })
    await this.client.connect(transport)
    return this
  }

  /** What a tool answers, as its structure says it. */
  // biome-ignore lint/suspicious/noExplicitAny: a test says itself what it expects in an answer.
  async call(name: string, args: Record<string, unknown> = {}): Promise<any> {
    const result = await this.client.callTool({ name, arguments: args })
    return result.structuredContent
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close()
  }
}
