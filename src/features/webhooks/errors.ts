import { defineErrors } from '../../platform/errors.ts'

export const webhookErrors = defineErrors({
  onlyInGroups: {
    code: 'webhooks_only_in_groups',
    kind: 'invalid',
    message: 'A direct conversation cannot have webhooks.',
  },
  urlNotAllowed: {
    code: 'webhook_url_not_allowed',
    kind: 'invalid',
    message: 'A webhook needs an https address outside private networks.',
  },
  botNotHere: {
    code: 'bot_not_here',
    kind: 'invalid',
    message: 'This is not the bot of another webhook of this group.',
  },
  tooMany: {
    code: 'too_many_webhooks',
    kind: 'conflict',
    message: 'The group has too many webhooks.',
  },
})
