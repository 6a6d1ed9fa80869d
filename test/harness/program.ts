import { findProgram, PACKAGES } from '../../scripts/programs.mjs'
import { lacking } from './lacking.ts'

/**
 * A program of the system that a test starts. Where this machine has none, `skip` is the reason to
 * skip the test: `test('…', { skip }, …)`.
 */
export function systemProgram(name: keyof typeof PACKAGES): {
  readonly path: string
  readonly skip: string | false
} {
  const path = findProgram(name)
  if (path !== undefined) return { path, skip: false }
  return { path: name, skip: lacking(`${name} (Debian’s package ${PACKAGES[name]})`) }
}
