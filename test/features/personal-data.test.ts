import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PERSONAL_DATA } from '../../src/features/privacy/sources.ts'
import { boot } from '../harness/boot.ts'

/** Columns that identify a person or an owner. */
const NAMES_SOMEBODY =
  /^(user|owner|sender|reporter|requester|addressee|blocker|blocked|actor|subject|audience)_id$|_by$|^(email|new_email|phone|username|ip|did)$/

/** Tables that identify people but need neither export nor erasure, each with the reason. */
const OTHERS: Record<string, string> = {
  events: 'ids of the last thirty days; those for the person alone go with the erasure',
  legal_holds: 'kept against the erasure, by law',
  audit_sinks: 'claimed_by is a process',
  webhooks: 'of a group; who made one is an id',
  server_accounts: 'the account of the server itself',
  pending_changes: 'ids, of changes that wait for minutes and are forgotten after',
}

test('every table that names people belongs to a slice that exports and erases it', async () => {
  await using mimir = await boot()
  const { read } = mimir.app.ctx.db
  const tables = await read.introspection.getTables()
  const naming = tables
    .filter(({ columns }) => columns.some(({ name }) => NAMES_SOMEBODY.test(name)))
    .map(({ name }) => name)
  assert.ok(naming.length > 15, naming.join())
  const known = new Set<string>(PERSONAL_DATA.flatMap(({ tables }) => tables))
  const missing = naming.filter((name) => !known.has(name) && !(name in OTHERS))
  assert.deepEqual(
    [...new Set(missing)],
    [],
    'name these in the `personal.ts` of their slice, which says what export and erasure do with them',
  )
  const all = new Set(tables.map(({ name }) => name))
  assert.deepEqual(
    [...known].filter((name) => !all.has(name)),
    [],
  )
})
