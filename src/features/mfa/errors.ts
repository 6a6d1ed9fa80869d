import { definePageErrors } from '../../platform/errors.ts'

export const mfaErrors = definePageErrors({
  invalidFactor: {
    code: 'invalid_second_factor',
    kind: 'unauthenticated',
    message: 'The code or passkey is incorrect, or was used before.',
    translated: { tr: 'Kod ya da geçiş anahtarı doğru değil ya da daha önce kullanılmış.' },
  },
  tooManyTries: {
    code: 'rate_limited',
    kind: 'rate_limited',
    message: 'Too many wrong codes; try again later.',
    translated: { tr: 'Çok fazla yanlış kod girildi; daha sonra yeniden deneyin.' },
  },
  methodNotOffered: {
    code: 'method_not_offered',
    kind: 'conflict',
    message: 'This server does not offer this second factor.',
    translated: { tr: 'Bu sunucu bu ikinci doğrulama yöntemini sunmuyor.' },
  },
  alreadySetUp: {
    code: 'already_set_up',
    kind: 'conflict',
    message: 'An authenticator app is already set up: remove it first.',
    translated: { tr: 'Zaten kurulu bir kimlik doğrulama uygulaması var: önce onu kaldırın.' },
  },
  notSetUp: {
    code: 'not_set_up',
    kind: 'conflict',
    message: 'Start setting up an authenticator app first.',
    translated: { tr: 'Önce bir kimlik doğrulama uygulamasını kurmaya başlayın.' },
  },
  stillRequired: {
    code: 'second_factor_required',
    kind: 'conflict',
    message: 'Your role needs a second factor: set another one up first.',
    translated: {
      tr: 'Rolünüz için ikinci bir doğrulama yöntemi gerekiyor: önce bir başkasını kurun.',
    },
  },
  invalidPasskey: {
    code: 'invalid_passkey',
    kind: 'invalid',
    message: 'The passkey cannot be added: its answer does not match, or it is already added.',
    translated: { tr: 'Geçiş anahtarı eklenemiyor: başka bir soruyu yanıtladı ya da zaten ekli.' },
  },
  tooManyPasskeys: {
    code: 'too_many_passkeys',
    kind: 'conflict',
    message: 'You have too many passkeys: remove one first.',
    translated: { tr: 'Yeterince geçiş anahtarınız var: önce birini kaldırın.' },
  },
  noProof: {
    code: 'proof_missing',
    kind: 'invalid',
    message: 'Enter a password or a code, or use a passkey.',
    translated: { tr: 'Bir parola, bir kod ya da bir geçiş anahtarı verin.' },
  },
  factorNeeded: {
    code: 'factor_needed',
    kind: 'forbidden',
    message:
      'Your provider does not say when it last verified you. Sign in again, set up a second factor (/auth/account) within 15 minutes, and retry.',
    translated: {
      tr: 'Kimlik sağlayıcınız kimliğinizi ne zaman sorduğunu bildirmiyor. Yeniden oturum açın, 15 dakika içinde ikinci bir doğrulama yöntemi kurun (/auth/account) ve devam edin.',
    },
  },
  stepUpRequired: {
    code: 'step_up_required',
    kind: 'unauthenticated',
    message: 'Confirm your identity again before you do this.',
    translated: { tr: 'Bunu yapmadan önce kimliğinizi bir kez daha doğrulayın.' },
  },
})
