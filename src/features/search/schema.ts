import { z } from 'zod'
import { pageLimit } from '../../platform/page-limit.ts'
import { text, uuid } from '../../platform/text.ts'
import { wordsOf } from '../../platform/words.ts'
import { Message } from '../messages/schema.ts'

const LIMIT_MAX = 100

export const Search = z.object({
  /** Words that must all occur in the message, in any order and also as parts of words. */
  q: text(1, 200).refine((value) => wordsOf(value).length > 0, 'must have a word'),
  conversationId: uuid.optional(),
  /** Only messages before this one: the `next` of an earlier answer. */
  before: uuid.optional(),
  limit: pageLimit(20, LIMIT_MAX),
})
export type Search = z.output<typeof Search>

export const SearchPage = z.strictObject({
  /** Newest first. Fewer than the limit, or none, does not mean that there are no more. */
  messages: z.array(Message),
  /** The `before` of the next request; null at the end of the history. */
  next: uuid.nullable(),
})
export type SearchPage = z.output<typeof SearchPage>

/** One line of a streamed answer: a message, or at the end where to continue. */
export const SearchLine = z.union([Message, SearchPage.pick({ next: true })])
export type SearchLine = z.output<typeof SearchLine>
