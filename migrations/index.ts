import type { Migration } from '../src/db/migrate.ts'
import * as foundation from './0001-foundation.ts'

/** Every step of the schema in order. A static list: a compiled executable cannot scan folders. */
export const migrations: readonly Migration[] = [foundation]
