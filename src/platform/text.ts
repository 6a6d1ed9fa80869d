import { z } from 'zod'

// A lone surrogate has no UTF-8 form, and PostgreSQL stores no NUL: it could not be returned unchanged.
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/** Whether text has at most `max` UTF-16 code units, which clients count; zod counts code points. */
export function fits(max: number): (text: string) => boolean {
  return (text) => text.length <= max
}

/** Text that can be stored and returned unchanged, `min` to `max` UTF-16 code units. */
export function text(min: number, max: number) {
  return z
    .string()
    .min(min)
    .max(max)
    .refine(fits(max), 'is too long')
    .refine(isStorable, 'must be well-formed text')
}

/** Like `text`, but trimmed first and without control characters: names, notes and other single lines. */
export function line(min: number, max: number) {
  return z
    .string()
    .trim()
    .min(min)
    .max(max)
    .refine(fits(max), 'is too long')
    .refine(isStorable, 'must be well-formed text')
    .refine((value) => !/\p{Cc}/u.test(value), 'must be one line without control characters')
}

/** A UUID in any case, converted to lower case as stored. */
export const uuid = z.uuid().toLowerCase()

/** Whether text is empty or consists of whitespace only. */
export function isBlank(value: string): boolean {
  return value.trim() === ''
}
