import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { type Appliance, boot } from '../harness/boot.ts'
import type { MlsDevice } from '../harness/mls.ts'
import { deviceOf } from '../harness/mls-people.ts'
import { type Reply, Rest } from '../harness/rest.ts'
import { Xrpc } from '../harness/xrpc.ts'

const CHILD = fileURLToPath(new URL('../faults/mls-child.ts', import.meta.url))

/** Starts an appliance in its own process that dies after that many statements. */
async function startDying(mimir: Appliance, statements: number): Promise<[ChildProcess, string]> {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [CHILD, mimir.dataDir, String(statements)], {
    env: { PATH, HOME, ...mimir.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (data) => resolve(String(data).trim()))
    child.once('exit', (code) => reject(new Error(`the child ended with ${code}`)))
  })
  return [child, `http://127.0.0.1:${port}`]
}

/** All rows of the tables that the four requests write. */
async function rowsOf(mimir: Appliance): Promise<Record<string, unknown>> {
  const { read } = mimir.app.ctx.db
  const tables = (await read.introspection.getTables())
    .map(({ name }) => name)
    .filter((name) => /^mls_/.test(name) || name === 'events' || name === 'audit_events')
  const found: Record<string, unknown> = {}
  for (const name of [...new Set(tables)].sort()) {
    const { rows } = await sql`select * from ${sql.table(name)}`.execute(read)
    found[name] = rows.map((row) => JSON.stringify(row)).sort()
  }
  return found
}

/**
 * Sends one request to servers that are killed after its 1st, 2nd … statement: each must leave nothing,
 * until one completes and leaves everything. Returns the number of statements.
 */
async function killEverywhere(
  mimir: Appliance,
  device: MlsDevice,
  request: { readonly name: string; readonly body: object },
  step: number,
): Promise<number> {
  const before = await rowsOf(mimir)
  const ask = (base: string): Promise<Reply> => {
    const rest = new Rest(base, { authorization: device.xrpc.rest.authorization })
    return new Xrpc(rest).post(request.name, request.body)
  }
  for (let statements = 1; ; statements += step) {
    await mimir.app.close()
    const [child, base] = await startDying(mimir, statements)
    const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))
    const reply = await ask(base).catch(() => undefined)
    if (reply) child.kill('SIGKILL')
    assert.equal(await ended, 'SIGKILL')
    await mimir.start()
    if (!reply) {
      assert.deepEqual(
        await rowsOf(mimir),
        before,
        `${request.name} after ${statements} statements`,
      )
      continue
    }
    assert.equal(reply.status, 200, JSON.stringify(reply.body))
    const after = await rowsOf(mimir)
    assert.notDeepEqual(after, before)
    const again = await ask(mimir.url)
    assert.deepEqual([again.status, again.body], [200, reply.body])
    assert.deepEqual(await rowsOf(mimir), after)
    return statements
  }
}

export async function killBetweenStatements(step: number): Promise<void> {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const [a, b, c] = [
    await deviceOf(mimir, alice),
    await deviceOf(mimir, bob, 4),
    await deviceOf(mimir, carol),
  ]
  const { state, body } = await a.makeGroup([b.did])
  const convoId = body.groupId
  const idempotencyKey = 'once'
  const counts: Record<string, number> = {}
  const kill = async (device: MlsDevice, name: string, input: object) => {
    const request = { name, body: { ...input, idempotencyKey } }
    counts[name] = await killEverywhere(mimir, device, request, step)
    // The port has changed with the restart.
    for (const one of [a, b, c]) one.xrpc.rest.move(mimir.url)
  }
  await kill(a, 'createConvo', body)
  a.moved(convoId, state, 0)
  await b.join(convoId)

  const addition = await a.prepareAdd(convoId, c.did)
  await kill(a, 'addMembers', addition.body)
  a.moved(convoId, addition.newState, 1)
  await c.join(convoId)
  await b.catchUp(convoId)

  const external = await b.prepareExternal(convoId, {})
  await kill(b, 'processExternalCommit', external.body)
  b.moved(convoId, external.newState, 2)
  await a.catchUp(convoId)
  await c.catchUp(convoId)

  const [leaf] = c.leavesOf(convoId, c.did)
  const commit = await c.proposeRemoval(convoId, leaf as number)
  await kill(c, 'leaveConvo', { convoId, commit })
  // The stored state is whole: the others commit the removal and carry on.
  await a.catchUp(convoId)
  await a.add(convoId)
  await b.catchUp(convoId)
  await b.send(convoId, 'still here')
  assert.deepEqual(await a.catchUp(convoId), ['still here'])
  for (const [name, count] of Object.entries(counts)) assert.ok(count > 8, `${name} ${count}`)
}
