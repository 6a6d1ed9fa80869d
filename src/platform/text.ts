import { z } from 'zod'

// A lone surrogate has no UTF-8 form, and PostgreSQL keeps no NUL: such text could not come back as sent.
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/** Whether text has at most so many UTF-16 code units: what clients count, where zod counts code points. */
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

/** Like `text`, with surrounding blanks taken off first: names, notes, things a person types on a line. */
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

/** A UUID in any case, in its stored spelling (lower case). */
export const uuid = z.uuid().toLowerCase()

/** Whether text has anything to see: not empty, not blanks only. */
export function isBlank(value: string): boolean {
  return value.trim() === ''
}
