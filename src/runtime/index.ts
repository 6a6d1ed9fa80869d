import type { Runtime } from './runtime.ts'

/** The runtime this process runs on. The other one's module and its imports are never loaded. */
export async function loadRuntime(): Promise<Runtime> {
  if (typeof Bun === 'undefined') return (await import('./node.ts')).nodeRuntime
  return (await import('./bun.ts')).bunRuntime
}
