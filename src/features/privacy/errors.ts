import { defineErrors } from '../../platform/errors.ts'

export const privacyErrors = defineErrors({
  exportNotReady: {
    code: 'export_not_ready',
    kind: 'conflict',
    message: 'The export is not finished yet.',
  },
  exportFailed: {
    code: 'export_failed',
    kind: 'gone',
    message: 'The export failed; request another one.',
  },
  exportExpired: {
    code: 'export_expired',
    kind: 'gone',
    message: 'The export has expired; request another one.',
  },
  sessionNeeded: {
    code: 'session_needed',
    kind: 'forbidden',
    message: 'Only a signed-in person may do this.',
  },
  noErasure: {
    code: 'no_erasure',
    kind: 'not_found',
    message: 'No erasure of the account is under way.',
  },
  underHold: {
    code: 'under_legal_hold',
    kind: 'conflict',
    message: 'The account is under a legal hold and is kept until that is lifted.',
  },
  consentRequired: {
    code: 'consent_required',
    kind: 'forbidden',
    message: 'You have to agree to the terms first.',
    translated: { tr: 'Önce koşulları kabul etmeniz gerekiyor.' },
  },
  noConsent: {
    code: 'no_consent',
    kind: 'not_found',
    message: 'There is no such consent, or it was withdrawn.',
  },
})
