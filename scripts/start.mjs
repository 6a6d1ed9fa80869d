// `npm start`: sets up what is missing, builds if the sources are newer, and serves with an
// invitation link for trying it out. Everything after `--` goes to the server:
// `npm start -- --listen 127.0.0.1:9000`.
import { EXECUTABLE, ensureExecutable } from './built.mjs'
import { ensureDependencies, run } from './setup.mjs'
import { startArguments } from './start-arguments.mjs'

const WRONG_USAGE = 2
const OPTIONS = 'npm start: options stand behind --, like npm start -- --listen 127.0.0.1:9000'

try {
  await ensureDependencies()
  process.exitCode = await ensureExecutable()
  if (process.exitCode === 0) {
    const args = ['serve', '--invitation', ...startArguments(process.argv.slice(2))]
    process.exitCode = await run(EXECUTABLE, args, { forwardSignals: true, shell: false })
    // The server's own message about wrong usage is worded for `mimir serve`.
    if (process.exitCode === WRONG_USAGE) console.error(OPTIONS)
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
