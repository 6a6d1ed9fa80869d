import { z } from 'zod'
import { uuid } from '../../platform/text.ts'

export const Reaction = z.strictObject({
  emoji: z.string(),
  /** In the order in which they reacted. */
  userIds: z.array(uuid),
})
export type Reaction = z.output<typeof Reaction>

/** In UTF-16 code units. */
const EMOJI_MAX = 32

/** The emoji is validated by the use case, which has its own error code for it. */
export const ReactionId = z.object({
  id: uuid,
  emoji: z.string().meta({ examples: ['👍'] }),
})
export type ReactionId = z.output<typeof ReactionId>

const EMOJI = /^\p{RGI_Emoji}$/v
/** Selects the coloured form of a character that also has a plain one (UTS #51, 1.4.3). */
const COLOURED = '\ufe0f'

/** The canonical spelling of an emoji that keyboards send in two ways; undefined for any other text. */
export function parseEmoji(text: string): string | undefined {
  if (text.length > EMOJI_MAX) return undefined
  return [text, text + COLOURED].find((spelling) => EMOJI.test(spelling))
}
