import { defineErrors } from '../../platform/errors.ts'

export const mailErrors = defineErrors({
  notConfigured: {
    code: 'mail_not_configured',
    kind: 'conflict',
    message: 'No mail server is configured: set SMTP_HOST to its name.',
  },
})
