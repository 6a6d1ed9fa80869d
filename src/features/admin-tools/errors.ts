import { defineErrors } from '../../platform/errors.ts'

export const changeErrors = defineErrors({
  onlyKeys: {
    code: 'changes_need_a_key',
    kind: 'forbidden',
    message: 'A change is asked for with an API key that was granted it.',
  },
  nobodyToAsk: {
    code: 'no_approver',
    kind: 'conflict',
    message: 'There is no administrator who could say yes.',
  },
  tooMany: {
    code: 'too_many_changes',
    kind: 'conflict',
    message: 'Other changes wait for an answer: wait for that too.',
  },
  keyEnded: {
    code: 'key_not_active',
    kind: 'conflict',
    message: 'The key that asked for it is no longer good for it.',
  },
})
