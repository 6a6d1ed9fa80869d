// npm run bench: makes sure that the executable is as new as its sources, then hands over to
// bench/main.ts under Bun. Plain JavaScript for Node 20, like everything that runs before the set-up.
import { join } from 'node:path'
import { ensureExecutable } from './built.mjs'
import { bunPath, ensureDependencies, ROOT, run } from './setup.mjs'

const args = process.argv.slice(2)
await ensureDependencies()
if (!args.includes('--help') && (await ensureExecutable()) !== 0) {
  console.error('dist/mimir could not be built.')
  process.exit(1)
}
process.exit(await run(bunPath(), [join(ROOT, 'bench', 'main.ts'), ...args], { shell: false }))
