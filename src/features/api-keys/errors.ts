import { defineErrors } from '../../platform/errors.ts'

export const keyErrors = defineErrors({
  scopesTooWide: {
    code: 'scopes_too_wide',
    kind: 'forbidden',
    message: 'A key may do no more than its creator and its owner may.',
  },
  notYours: {
    code: 'key_owner_not_allowed',
    kind: 'forbidden',
    message: 'Only administrators create keys for others or without expiry.',
  },
  tooLong: {
    code: 'expiry_too_long',
    kind: 'invalid',
    message: 'A key may not be valid for so long.',
  },
  tooMany: {
    code: 'too_many_keys',
    kind: 'conflict',
    message: 'This owner has too many keys: revoke some.',
  },
  ownerNotActive: {
    code: 'owner_not_active',
    kind: 'conflict',
    message: 'The owner of the key is suspended.',
  },
  notActive: {
    code: 'key_not_active',
    kind: 'conflict',
    message: 'The key was revoked or rotated, or has expired.',
  },
})
