import type { Tx } from './database.ts'
import type { Tables } from './tables.ts'

/** The person whose data is exported or erased. */
export interface Person {
  readonly tenantId: string
  readonly userId: string
}

/** A file of an export: rows become a JSON array, bytes stay as they are. */
export type PersonalPart =
  | { readonly file: string; readonly rows: AsyncIterable<readonly object[]> }
  | { readonly file: string; readonly bytes: AsyncIterable<Uint8Array> }

/**
 * Exports and erases what a slice stores about people. A test compares the `tables` of all slices with
 * the tables of the store that refer to people.
 */
export interface PersonalData<C> {
  readonly tables: readonly (keyof Tables)[]
  /** The parts of the person's export, each read in pages. */
  collect(ctx: C, person: Person): AsyncIterable<PersonalPart>
  /** Deletes what is the person's alone, in the caller's transaction; returns the number of rows. */
  erase(ctx: C, tx: Tx, person: Person): Promise<number>
}

/** A part small enough to be read at once; yields nothing without rows. */
export async function* partOf(file: string, rows: readonly object[]): AsyncGenerator<PersonalPart> {
  if (rows.length > 0) yield { file, rows: pageOf(rows) }
}

async function* pageOf(rows: readonly object[]): AsyncGenerator<readonly object[]> {
  yield rows
}
