import type { Tx } from './database.ts'
import type { Tables } from './tables.ts'

/** Whose data it is. */
export interface Person {
  readonly tenantId: string
  readonly userId: string
}

/** A file of an export: rows become a JSON array, bytes stay as they are. */
export type PersonalPart =
  | { readonly file: string; readonly rows: AsyncIterable<readonly object[]> }
  | { readonly file: string; readonly bytes: AsyncIterable<Uint8Array> }

/**
 * What a slice holds about people: it is asked for all of it, and to forget it. A test compares the
 * `tables` of all slices with those of the store that name people.
 */
export interface PersonalData<C> {
  readonly tables: readonly (keyof Tables)[]
  /** The parts of the person's export, each read in pages. */
  collect(ctx: C, person: Person): AsyncIterable<PersonalPart>
  /** Takes away what is the person's alone, in the caller's transaction; gives how many rows that was. */
  erase(ctx: C, tx: Tx, person: Person): Promise<number>
}

/** A part of which there is little enough to be read at once; none when there is nothing. */
export async function* partOf(file: string, rows: readonly object[]): AsyncGenerator<PersonalPart> {
  if (rows.length > 0) yield { file, rows: pageOf(rows) }
}

async function* pageOf(rows: readonly object[]): AsyncGenerator<readonly object[]> {
  yield rows
}
