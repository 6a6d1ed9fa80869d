import { defineErrors } from '../../platform/errors.ts'

export const webhookErrors = defineErrors({
  onlyInGroups: {
    code: 'webhooks_only_in_groups',
    kind: 'invalid',
    message: 'A direct conversation belongs to two people: it has no webhooks.',
  },
  urlNotAllowed: {
    code: 'webhook_url_not_allowed',
    kind: 'invalid',
    message: 'A webhook is sent to an https address outside of private networks.',
  },
  botNotHere: {
    code: 'bot_not_here',
    kind: 'invalid',
    message: 'This is no bot of another webhook of this group.',
  },
  tooMany: {
    code: 'too_many_webhooks',
    kind: 'conflict',
    message: 'The group has as many webhooks as it can.',
  },
})
