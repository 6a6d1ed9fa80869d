import type { z } from 'zod'
import { AppError, commonErrors } from './errors.ts'

/**
 * Parses the value with the schema. Throws `validation_failed` with the first problem of each field; a
 * problem of the value as a whole is reported under the name `whole`.
 */
export function parseInput<S extends z.ZodType>(
  schema: S,
  value: unknown,
  whole = 'body',
): z.output<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const fields: Record<string, string> = {}
  for (const { path, message } of parsed.error.issues) fields[path.join('.') || whole] ??= message
  throw new AppError(commonErrors.validationFailed, { fields })
}
