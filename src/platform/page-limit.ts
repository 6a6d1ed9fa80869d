import { z } from 'zod'

/** The `limit` of a page in a URL: a whole number, clamped to what one response may hold. */
export function pageLimit(usual: number, most: number) {
  return z.coerce
    .number()
    .refine(Number.isInteger, 'must be a whole number')
    .default(usual)
    .transform((limit) => Math.min(Math.max(limit, 1), most))
}
