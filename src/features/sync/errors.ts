import { defineErrors } from '../../platform/errors.ts'

export const syncErrors = defineErrors({
  invalidCursor: {
    code: 'invalid_cursor',
    kind: 'invalid',
    message: 'This cursor is not from this server.',
  },
  cursorExpired: {
    code: 'cursor_expired',
    kind: 'gone',
    message: 'Too much has happened since: reload your conversations and sync without a cursor.',
  },
})
