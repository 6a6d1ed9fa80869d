import { definePageErrors } from '../../platform/errors.ts'

export const oidcErrors = definePageErrors({
  invalidRequest: {
    code: 'invalid_request',
    kind: 'invalid',
    message: 'This sign-in did not start here, was used before, or took too long: start again.',
    translated: {
      tr: 'Bu oturum açma işlemi burada başlatılmamış, daha önce kullanılmış ya da çok uzun sürmüş: baştan başlayın.',
    },
  },
  accessDenied: {
    code: 'access_denied',
    kind: 'forbidden',
    message: 'The sign-in was cancelled, or refused by your organisation.',
    translated: { tr: 'Oturum açma işlemi iptal edildi ya da kuruluşunuz tarafından reddedildi.' },
  },
  signInFailed: {
    code: 'sign_in_failed',
    kind: 'invalid',
    message: 'Your organisation could not sign you in: start again, or ask its help desk.',
    translated: {
      tr: 'Kuruluşunuz oturumunuzu açamadı: baştan başlayın ya da kuruluşunuzun yardım masasına başvurun.',
    },
  },
  invalidGrant: {
    code: 'invalid_grant',
    kind: 'invalid',
    message: 'Your organisation did not accept this sign-in: start again.',
    translated: { tr: 'Kuruluşunuz bu oturum açma işlemini kabul etmedi: baştan başlayın.' },
  },
  invalidToken: {
    code: 'invalid_token',
    kind: 'unauthenticated',
    message: 'The data your organisation sent about you is not valid.',
    translated: { tr: 'Kuruluşunuzun sizinle ilgili bildirdikleri geçerli değil.' },
  },
  notAdmitted: {
    code: 'not_admitted',
    kind: 'forbidden',
    message: 'You cannot sign in here. To join, open an invitation link first.',
    translated: { tr: 'Burada oturum açamazsınız. Katılmak için önce bir davet bağlantısı açın.' },
  },
  idpUnavailable: {
    code: 'idp_unavailable',
    kind: 'upstream_failed',
    message: 'Your organisation is not responding; try again later.',
    translated: { tr: 'Kuruluşunuz yanıt vermiyor; daha sonra yeniden deneyin.' },
  },
  browserRequired: {
    code: 'browser_required',
    kind: 'conflict',
    message: 'Do this in a browser that is signed in here.',
    translated: { tr: 'Bunu burada oturum açtığınız bir tarayıcıda yapın.' },
  },
  identityTaken: {
    code: 'identity_taken',
    kind: 'conflict',
    message: 'This identity belongs to another account.',
    translated: { tr: 'Bu kimlik başka bir hesaba ait.' },
  },
  lastSignInMethod: {
    code: 'last_sign_in_method',
    kind: 'conflict',
    message: 'You would lose access: set a password or add a passkey first.',
    translated: {
      tr: 'Artık hiç oturum açamazdınız: önce bir parola belirleyin ya da bir geçiş anahtarı ekleyin.',
    },
  },
  invalidLogoutToken: {
    code: 'invalid_request',
    kind: 'invalid',
    message: 'The logout token is not valid.',
    translated: { tr: 'Oturum kapatma belirteci geçerli değil.' },
  },
})
