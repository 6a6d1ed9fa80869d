// An appliance whose process is killed after the n-th statement of a transaction: mls-kill.test.ts
// starts it with the data directory, the environment and n.
import { createApp } from '../../src/app/create-app.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Tx } from '../../src/db/database.ts'
import { createLog } from '../../src/platform/log.ts'

const [, , dataDir = '', last = '0'] = process.argv
const { config } = loadConfig({ dataDir, env: process.env })
const log = createLog({ level: 'silent', stream: { write() {} } })
const app = await createApp({ config, log, purpose: 'test' })
const listener = await app.listen()

let left = Number(last)
const { db } = app.ctx
const dying = (tx: Tx) =>
  tx.withPlugin({
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      left -= 1
      if (left === 0) process.kill(process.pid, 'SIGKILL')
      return result
    },
  }) as Tx
const { transaction } = db
Object.assign(db, {
  transaction: (work: (tx: Tx) => Promise<unknown>) => transaction((tx) => work(dying(tx))),
})
process.stdout.write(`${listener.port}\n`)
