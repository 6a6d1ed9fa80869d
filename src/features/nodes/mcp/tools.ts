import type { Tool } from '../../../mcp/define-tool.ts'
import { memoryTools } from './memory.ts'
import { todoTools } from './todos.ts'

export const tools: readonly Tool[] = [...todoTools, ...memoryTools]
