import { defineSimpleTool } from '../../mcp/define-tool.ts'
import { untrusted, untrustedOutput } from '../../mcp/untrusted.ts'
import { Search, SearchPage } from './schema.ts'
import { searchMessages } from './service.ts'

export const tools = [
  defineSimpleTool({
    name: 'messages_search',
    title: 'Search messages',
    description: 'Messages in the person’s conversations that contain the words, newest first.',
    onlyGranted: true,
    permission: 'messages:search',
    input: Search,
    output: untrustedOutput(SearchPage.partial().shape),
    run: async (ctx, actor, input) =>
      untrusted(await searchMessages(ctx, actor, input, new AbortController().signal)),
  }),
]
