import type { z } from 'zod'
import { AppError, commonErrors } from './errors.ts'

/**
 * The value as the schema reads it. Throws `validation_failed` with the first complaint about each field;
 * a complaint about the value as a whole stands under `whole`.
 */
export function parseInput<T>(schema: z.ZodType<T>, value: unknown, whole = 'body'): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const fields: Record<string, string> = {}
  for (const { path, message } of parsed.error.issues) fields[path.join('.') || whole] ??= message
  throw new AppError(commonErrors.validationFailed, { fields })
}
