// `npm start`: sets up what is missing, builds when the sources are newer, and serves with an
// invitation link for whoever tries it. Everything behind `--` goes to the server:
// `npm start -- --listen 127.0.0.1:9000`.
import { EXECUTABLE, ensureExecutable } from './built.mjs'
import { ensureDependencies, run } from './setup.mjs'

try {
  await ensureDependencies()
  process.exitCode = await ensureExecutable()
  if (process.exitCode === 0) {
    const args = ['serve', '--invitation', ...process.argv.slice(2)]
    process.exitCode = await run(EXECUTABLE, args, { forwardSignals: true, shell: false })
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
