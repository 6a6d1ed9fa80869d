import type { Command } from 'commander'
import { COMMIT, VERSION } from '../src/platform/version.ts'
import { withExamples } from './examples.ts'
import { globalsOf } from './globals.ts'
import { print } from './output.ts'

export function addVersion(program: Command): void {
  const version = program
    .command('version')
    .description('print version, commit and runtime')
    .action(async (_options: object, command: Command) => {
      const { bun, node } = process.versions
      const result = {
        version: VERSION,
        commit: COMMIT ?? null,
        runtime: bun === undefined ? `node ${node}` : `bun ${bun}`,
      }
      await print(
        globalsOf(command),
        result,
        () => `mimir ${VERSION}${COMMIT ? ` (${COMMIT})` : ''}, ${result.runtime}`,
      )
    })
  withExamples(version, 'mimir version', 'mimir version --json')
}
