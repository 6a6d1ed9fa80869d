import { sql } from 'kysely'
import type { Appliance } from './boot.ts'
import { STORE } from './store.ts'

const TABLES = ['audit_events', 'audit_chain', 'audit_checkpoints', 'audit_prunings']

/** What an attacker with write access to the audit log's store can do: disables its triggers first. */
export async function tamper(mimir: Appliance, ...statements: string[]): Promise<void> {
  await mimir.app.ctx.db.transaction(async (tx) => {
    const run = (text: string) => sql.raw(text).execute(tx)
    for (const table of TABLES) {
      if (STORE === 'postgres') await run(`alter table ${table} disable trigger all`)
      else
        for (const verb of ['update', 'delete'])
          await run(`drop trigger if exists ${table}_no_${verb}`)
    }
    if (STORE === 'sqlite') await run('pragma defer_foreign_keys = on')
    for (const statement of statements) await run(statement)
  })
}
