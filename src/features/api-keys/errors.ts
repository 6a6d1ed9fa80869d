import { defineErrors } from '../../platform/errors.ts'

export const keyErrors = defineErrors({
  scopesTooWide: {
    code: 'scopes_too_wide',
    kind: 'forbidden',
    message: 'A key may do no more than who makes it and who owns it.',
  },
  notYours: {
    code: 'key_owner_not_allowed',
    kind: 'forbidden',
    message: 'Only an administrator makes keys for others, and keys without end.',
  },
  tooLong: {
    code: 'expiry_too_long',
    kind: 'invalid',
    message: 'A key may not last so long.',
  },
  tooMany: {
    code: 'too_many_keys',
    kind: 'conflict',
    message: 'There are too many keys of this owner: revoke some.',
  },
  ownerNotActive: {
    code: 'owner_not_active',
    kind: 'conflict',
    message: 'The owner of the key is suspended.',
  },
  notActive: {
    code: 'key_not_active',
    kind: 'conflict',
    message: 'The key is revoked, has expired, or was rotated before.',
  },
})
