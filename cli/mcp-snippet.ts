import { InvalidArgumentError } from 'commander'

/** AI clients whose configuration `mimir apikey create --snippet` knows. */
const CLIENTS = ['cursor', 'claude', 'vscode'] as const
export type AiClient = (typeof CLIENTS)[number]

export function parseAiClient(text: string): AiClient {
  const client = CLIENTS.find((name) => name === text)
  if (!client) throw new InvalidArgumentError(`One of ${CLIENTS.join(', ')}.`)
  return client
}

/** Where the client keeps it, and what is to stand there. */
export function mcpSnippet(client: AiClient, url: string, key: string) {
  const headers = { Authorization: `Bearer ${key}` }
  switch (client) {
    case 'cursor':
      return { file: '.cursor/mcp.json', content: { mcpServers: { mimir: { url, headers } } } }
    case 'claude':
      return {
        file: '.mcp.json',
        content: { mcpServers: { mimir: { type: 'http', url, headers } } },
      }
    case 'vscode':
      return {
        file: '.vscode/mcp.json',
        content: { servers: { mimir: { type: 'http', url, headers } } },
      }
  }
}
