import { findProgram, PACKAGES } from '../../scripts/programs.mjs'
import { lacking } from './lacking.ts'

/**
 * A system program that a test starts. If this machine lacks it, `skip` is the reason to skip the test:
 * `test('…', { skip }, …)`.
 */
export function systemProgram(name: keyof typeof PACKAGES): {
  readonly path: string
  readonly skip: string | false
} {
  const path = findProgram(name)
  if (path !== undefined) return { path, skip: false }
  return { path: name, skip: lacking(`${name} (Debian’s package ${PACKAGES[name]})`) }
}
