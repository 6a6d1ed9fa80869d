// `npm run build`: dist/mimir for this machine; `-- --all` adds every platform a release has.
import { bunPath, ensureDependencies, run } from './setup.mjs'

try {
  await ensureDependencies()
  const args = ['scripts/build-executable.ts', ...process.argv.slice(2)]
  process.exitCode = await run(bunPath(), args, { shell: false })
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
