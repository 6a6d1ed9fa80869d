import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { Rest } from './rest.ts'

/** The official MCP client, authenticated with a credential. */
export class McpClient implements AsyncDisposable {
  readonly client = new Client({ name: 'test', version: '1' })

  async connect(url: string, credential: string): Promise<this> {
    const headers = { authorization: `Bearer ${credential}` }
    const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
      requestInit: { headers },
    })
    await this.client.connect(transport)
    // Knowing the tools, it also checks every result against the tool's output schema.
    await this.client.listTools()
    return this
  }

  /** The structured content of a tool's result. */
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the answer.
  async call(name: string, args: Record<string, unknown> = {}): Promise<any> {
    const result = await this.client.callTool({ name, arguments: args })
    return result.structuredContent
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close()
  }
}

/** Calls a tool without the MCP library; returns the reply with its HTTP status. */
export function callTool(rest: Rest, name: string, args: object) {
  const params = { name, arguments: args }
  return rest.post('/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/call', params })
}
