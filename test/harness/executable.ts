import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const EXECUTABLE = fileURLToPath(new URL('../../dist/mimir', import.meta.url))

/** The path of `dist/mimir`; throws if it has not been built. */
export function executable(): string {
  if (!existsSync(EXECUTABLE)) throw new Error('first: npm run build')
  return EXECUTABLE
}
