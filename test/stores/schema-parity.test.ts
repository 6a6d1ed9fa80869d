import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { migrations } from '../../migrations/index.ts'
import type { Engine } from '../../src/db/engine.ts'
import { migrate } from '../../src/db/migrate.ts'
import { TestClock } from '../harness/clock.ts'
import { STORE } from '../harness/store.ts'
import { emptyStore } from './harness.ts'

/** Types that correspond in the two stores. */
const FAMILIES: Record<string, string> = {
  text: 'text',
  integer: 'number',
  int4: 'number',
  int8: 'number',
  xid8: 'number',
  blob: 'bytes',
  bytea: 'bytes',
}

/** The columns of each table, one line each. */
type Shape = Record<string, string[]>

async function columnsOf(engine: Engine): Promise<Shape> {
  const { read } = engine
  const schema = engine.kind === 'postgres' ? await currentSchema(engine) : undefined
  const tables = await read.introspection.getTables()
  const ours = tables.filter((table) => table.schema === schema)
  return Object.fromEntries(
    ours.map((table) => [
      table.name,
      table.columns
        .map((column) => {
          const family = FAMILIES[column.dataType.toLowerCase()] ?? column.dataType
          const empty = column.isNullable ? 'null' : 'not null'
          const grows = column.isAutoIncrementing ? ' grows' : ''
          return `${column.name} ${family} ${empty}${grows}`
        })
        .sort(),
    ]),
  )
}

async function currentSchema(engine: Engine): Promise<string> {
  const { rows } = await sql<{ name: string }>`select current_schema() as name`.execute(engine.read)
  return rows[0]?.name as string
}

/** Keys, indexes and references, one line each. */
async function rulesOf(engine: Engine): Promise<string[]> {
  const statement = engine.kind === 'postgres' ? POSTGRES_RULES : SQLITE_RULES
  const { rows } = await statement.execute(engine.read)
  return rows.map(({ rule }) => rule).sort()
}

const POSTGRES_RULES = sql<{ rule: string }>`
  select t.relname || ' '
      || case when i.indisprimary then 'key' when i.indisunique then 'unique' else 'index' end
      || ' ' || (select string_agg(a.attname, ',' order by k.place)
                 from unnest(i.indkey::int[]) with ordinality k(number, place)
                 join pg_attribute a on a.attrelid = t.oid and a.attnum = k.number)
      || case when i.indpred is null then '' else ' partial' end as rule
  from pg_index i join pg_class t on t.oid = i.indrelid
  where t.relnamespace = current_schema()::regnamespace
  union all
  select t.relname || ' ' || a.attname || ' of ' || target.relname
  from pg_constraint c
  join pg_class t on t.oid = c.conrelid
  join pg_class target on target.oid = c.confrelid
  join pg_attribute a on a.attrelid = t.oid and a.attnum = any(c.conkey)
  where c.contype = 'f' and t.relnamespace = current_schema()::regnamespace`

// In SQLite an integer primary key is the table itself, without an index: read it from the columns.
const SQLITE_RULES = sql<{ rule: string }>`
  with tables as (
    select name from sqlite_schema where type = 'table' and name not like 'sqlite\\_%' escape '\\')
  select t.name || ' key ' || (select group_concat(c.name, ',')
      from (select name from pragma_table_info(t.name) where pk > 0 order by pk) c) as rule
  from tables t
  union all
  select t.name || case i."unique" when 1 then ' unique ' else ' index ' end
      || (select group_concat(name, ',')
          from (select name from pragma_index_info(i.name) order by seqno))
      || case i.partial when 1 then ' partial' else '' end
  from tables t, pragma_index_list(t.name) i where i.origin <> 'pk'
  union all
  select t.name || ' ' || f."from" || ' of ' || f."table"
  from tables t, pragma_foreign_key_list(t.name) f`

if (STORE === 'postgres') {
  test('the two stores have the same tables, columns, keys, indexes and references', async () => {
    await using embedded = await emptyStore('sqlite')
    await using server = await emptyStore('postgres')
    const [sqlite, postgres] = [embedded.open(), server.open()]
    const clock = new TestClock()
    await migrate(sqlite, migrations, clock)
    await migrate(postgres, migrations, clock)

    const tables = await columnsOf(sqlite)
    assert.ok(tables.messages && Object.keys(tables).length >= 14, Object.keys(tables).join())
    assert.deepEqual(await columnsOf(postgres), tables)
    const rules = await rulesOf(sqlite)
    assert.ok(rules.includes('conversation_members key conversation_id,user_id'), rules.join('\n'))
    assert.ok(rules.length > 30, rules.join('\n'))
    assert.deepEqual(await rulesOf(postgres), rules)
  })
}
