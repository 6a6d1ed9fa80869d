import { defineErrors } from '../../platform/errors.ts'

export const changeErrors = defineErrors({
  onlyKeys: {
    code: 'changes_need_a_key',
    kind: 'forbidden',
    message: 'Changes need an API key that may make them.',
  },
  nobodyToAsk: {
    code: 'no_approver',
    kind: 'conflict',
    message: 'There is no administrator who could approve.',
  },
  tooMany: {
    code: 'too_many_changes',
    kind: 'conflict',
    message: 'Too many changes are awaiting approval: wait for those first.',
  },
  keyEnded: {
    code: 'key_not_active',
    kind: 'conflict',
    message: 'The key that asked for it may no longer do it.',
  },
})
