import { z } from 'zod'
import { text, uuid } from '../../platform/text.ts'
import { wordsOf } from '../../platform/words.ts'
import { Message } from '../messages/schema.ts'

const LIMIT_MAX = 100

export const Search = z.object({
  /** Words that all have to be in the message, in any order and as parts of words too. */
  q: text(1, 200).refine((value) => wordsOf(value).length > 0, 'must have a word'),
  conversationId: uuid.optional(),
  /** Only messages before this one: an answer's `next`. */
  before: uuid.optional(),
  limit: z.coerce
    .number()
    .refine(Number.isInteger, 'must be a whole number')
    .default(20)
    .transform((limit) => Math.min(Math.max(limit, 1), LIMIT_MAX)),
})
export type Search = z.output<typeof Search>

export const SearchPage = z.strictObject({
  /** Newest first. Fewer than asked for, or none, does not mean that there are no more. */
  messages: z.array(Message),
  /** Where to go on with `before`; null at the end of the history. */
  next: uuid.nullable(),
})
export type SearchPage = z.output<typeof SearchPage>

/** One line of an answer in lines: a message, or at the end where to go on. */
export const SearchLine = z.union([Message, SearchPage.pick({ next: true })])
export type SearchLine = z.output<typeof SearchLine>
