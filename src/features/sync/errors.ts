import { defineErrors } from '../../platform/errors.ts'

export const syncErrors = defineErrors({
  invalidCursor: {
    code: 'invalid_cursor',
    kind: 'invalid',
    message: 'This is no cursor of this server.',
  },
  cursorExpired: {
    code: 'cursor_expired',
    kind: 'gone',
    message:
      'Too much has happened since: read your conversations anew and go on from a sync without a cursor.',
  },
})
