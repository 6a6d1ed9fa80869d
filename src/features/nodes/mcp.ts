import type { Tool } from '../../mcp/define-tool.ts'
import { memoryTools } from './mcp-memory.ts'
import { todoTools } from './mcp-todos.ts'

export const tools: readonly Tool[] = [...todoTools, ...memoryTools]
