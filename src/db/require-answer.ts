import { reasonOf } from '../platform/errors.ts'
import type { Engine } from './engine.ts'
import { isStoreUnavailable } from './errors.ts'

/** The database server does not answer at the start, so that nothing can be opened. */
export class UnreachableStoreError extends Error {}

/** Throws `UnreachableStoreError` if the database server cannot be reached; other faults show when it is used. */
export async function requireAnswer(engine: Engine): Promise<void> {
  try {
    await engine.ping()
  } catch (error) {
    if (engine.kind !== 'postgres' || !isStoreUnavailable(error)) throw error
    const reason = reasonOf((error as Error).cause ?? error)
    throw new UnreachableStoreError(
      `PostgreSQL does not answer: ${reason}: start it, or check DATABASE_URL`,
      { cause: error },
    )
  }
}
