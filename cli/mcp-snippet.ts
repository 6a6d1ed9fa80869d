/** AI clients whose configuration `mimir apikey create --snippet` knows. */
export const AI_CLIENTS = ['cursor', 'claude', 'vscode'] as const
export type AiClient = (typeof AI_CLIENTS)[number]

/** The client's configuration file, and what to put there. */
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
