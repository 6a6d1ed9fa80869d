import { defineErrors } from '../../platform/errors.ts'

export const mfaErrors = defineErrors({
  invalidFactor: {
    code: 'invalid_second_factor',
    kind: 'unauthenticated',
    message: 'The code or the passkey is not right, or was used before.',
  },
  tooManyTries: {
    code: 'rate_limited',
    kind: 'rate_limited',
    message: 'Too many wrong codes; try again later.',
  },
  methodNotOffered: {
    code: 'method_not_offered',
    kind: 'conflict',
    message: 'This server does not offer this second factor.',
  },
  alreadySetUp: {
    code: 'already_set_up',
    kind: 'conflict',
    message: 'An authenticator app is set up already: remove it first.',
  },
  notSetUp: {
    code: 'not_set_up',
    kind: 'conflict',
    message: 'Begin with the set-up of an authenticator app first.',
  },
  stillRequired: {
    code: 'second_factor_required',
    kind: 'conflict',
    message: 'Your role needs a second factor: set another one up first.',
  },
  invalidPasskey: {
    code: 'invalid_passkey',
    kind: 'invalid',
    message: 'The passkey cannot be added: it answered another question, or is there already.',
  },
  tooManyPasskeys: {
    code: 'too_many_passkeys',
    kind: 'conflict',
    message: 'There are enough passkeys: remove one first.',
  },
  noProof: {
    code: 'proof_missing',
    kind: 'invalid',
    message: 'Give a password, a code or a passkey.',
  },
  factorNeeded: {
    code: 'factor_needed',
    kind: 'forbidden',
    message:
      'Your provider does not say when it asked who you are. Sign in again, set up a second factor (/auth/account) within 15 minutes, and go on.',
  },
  stepUpRequired: {
    code: 'step_up_required',
    kind: 'unauthenticated',
    message: 'Show once more who you are before you do this.',
  },
})
