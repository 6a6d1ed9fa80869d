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

/**
 * Names, notes and other single lines: like `text`, but trimmed and without control characters. Characters
 * that turn the direction of the text around them are left out, and a line without anything visible is empty.
 */
export function line(min: number, max: number) {
  return z
    .string()
    .trim()
    .min(min)
    .max(max)
    .refine(fits(max), 'is too long')
    .refine(isStorable, 'must be well-formed text')
    .refine(
      (value) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value),
      'must be one line without control characters',
    )
    .overwrite((value) => (isBlank(value) ? '' : value.replace(/\p{Bidi_Control}/gu, '').trim()))
    .refine((value) => value.length >= min, 'must not be blank')
}

/** A UUID in any case, converted to lower case as stored. */
export const uuid = z.uuid().toLowerCase()

/** Apart from white space and controls: what is never drawn (UAX #44), and the braille pattern without dots. */
const VISIBLE = /[^\s\p{Cc}\p{Default_Ignorable_Code_Point}\u2800]/u

/** Whether a reader would see nothing. */
export function isBlank(value: string): boolean {
  return !VISIBLE.test(value)
}
