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
    message: 'The export could not be made; ask for another one.',
  },
  exportExpired: {
    code: 'export_expired',
    kind: 'gone',
    message: 'The export was deleted after its time; ask for another one.',
  },
  sessionNeeded: {
    code: 'session_needed',
    kind: 'forbidden',
    message: 'Only somebody who has signed in may do this.',
  },
  noErasure: {
    code: 'no_erasure',
    kind: 'not_found',
    message: 'No erasure of the account is under way.',
  },
  underHold: {
    code: 'under_legal_hold',
    kind: 'conflict',
    message: 'The account is under a legal hold, and stays until that is lifted.',
  },
  consentRequired: {
    code: 'consent_required',
    kind: 'forbidden',
    message: 'The terms have to be agreed to first.',
    translated: { tr: 'Önce koşulları kabul etmeniz gerekiyor.' },
  },
  noConsent: {
    code: 'no_consent',
    kind: 'not_found',
    message: 'There is no such consent, or it was withdrawn.',
  },
})
