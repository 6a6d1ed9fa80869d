import { type ColumnDefinitionBuilder, type Expression, type Kysely, sql } from 'kysely'

type Define = (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder

/** Where the engines' data definition differs; migrations are given one of these. */
export interface Columns {
  readonly bytes: 'blob' | 'bytea'
  /** An ever-growing number that is never reused; the primary key. */
  readonly position: { readonly type: 'integer' | 'bigint'; readonly define: Define }
  /** The transaction that wrote the row, on engines whose transactions overlap. */
  readonly writer: { readonly type: 'integer' | Expression<unknown>; readonly define: Define }
  /** Makes the store itself reject updates and deletes on the table. */
  forbidChanges(db: Kysely<unknown>, table: string): Promise<void>
  /**
   * Allows deleting some rows of a table after `forbidChanges`: those for which `condition` holds, an SQL
   * expression valid on both engines in which `old` is the row.
   */
  allowDeletes(db: Kysely<unknown>, table: string, condition: string): Promise<void>
}

export const sqliteColumns: Columns = {
  bytes: 'blob',
  position: { type: 'integer', define: (column) => column.primaryKey().autoIncrement().notNull() },
  writer: { type: 'integer', define: (column) => column.notNull().defaultTo(0) },
  async forbidChanges(db, table) {
    for (const verb of ['update', 'delete']) {
      await sql
        .raw(
          `create trigger ${table}_no_${verb} before ${verb} on ${table}
           begin select raise(abort, '${table} is append-only'); end`,
        )
        .execute(db)
    }
  },
  async allowDeletes(db, table, condition) {
    await sql.raw(`drop trigger ${table}_no_delete`).execute(db)
    await sql
      .raw(
        `create trigger ${table}_no_delete before delete on ${table}
         begin select raise(abort, '${table} is append-only') where not (${condition}); end`,
      )
      .execute(db)
  },
}

export const postgresColumns: Columns = {
  bytes: 'bytea',
  position: {
    type: 'bigint',
    define: (column) => column.primaryKey().generatedByDefaultAsIdentity().notNull(),
  },
  writer: {
    // A PostgreSQL type that Kysely does not list.
    type: sql`xid8`,
    define: (column) => column.notNull().defaultTo(sql`pg_current_xact_id()`),
  },
  async forbidChanges(db, table) {
    await sql
      .raw(
        `create function ${table}_no_change() returns trigger language plpgsql as
         $$ begin raise exception '${table} is append-only'; end $$`,
      )
      .execute(db)
    await sql
      .raw(
        `create trigger ${table}_no_change before update or delete or truncate on ${table}
         for each statement execute function ${table}_no_change()`,
      )
      .execute(db)
  },
  async allowDeletes(db, table, condition) {
    await sql.raw(`drop trigger ${table}_no_change on ${table}`).execute(db)
    await sql
      .raw(
        `create trigger ${table}_no_change before update or truncate on ${table}
         for each statement execute function ${table}_no_change()`,
      )
      .execute(db)
    await sql
      .raw(
        `create function ${table}_no_delete() returns trigger language plpgsql as
         $$ begin
           if ${condition} then return old; end if;
           raise exception '${table} is append-only';
         end $$`,
      )
      .execute(db)
    await sql
      .raw(
        `create trigger ${table}_no_delete before delete on ${table}
         for each row execute function ${table}_no_delete()`,
      )
      .execute(db)
  },
}
