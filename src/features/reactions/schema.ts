import { z } from 'zod'
import { uuid } from '../../platform/text.ts'

export const Reaction = z.strictObject({
  emoji: z.string(),
  /** In the order of their reacting. */
  userIds: z.array(uuid),
})
export type Reaction = z.output<typeof Reaction>

/** In UTF-16 code units. */
const EMOJI_MAX = 32

/** The emoji is judged by the use case, which has a code of its own for it. */
export const ReactionId = z.object({
  id: uuid,
  emoji: z.string().meta({ examples: ['👍'] }),
})
export type ReactionId = z.output<typeof ReactionId>

const EMOJI = /^\p{RGI_Emoji}$/v
/** Asks for the coloured form of a character that has a plain one (UTS #51, 1.4.3). */
const COLOURED = '\ufe0f'

/** The one spelling of an emoji that a keyboard may send in two, or undefined for any other text. */
export function parseEmoji(text: string): string | undefined {
  if (text.length > EMOJI_MAX) return undefined
  return [text, text + COLOURED].find((spelling) => EMOJI.test(spelling))
}
