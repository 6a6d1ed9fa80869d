import { definePageErrors } from '../../platform/errors.ts'

export const sessionErrors = definePageErrors({
  invalidCredentials: {
    code: 'invalid_credentials',
    kind: 'unauthenticated',
    message: 'The name or the password is incorrect.',
    translated: { tr: 'Kullanıcı adı ya da parola doğru değil.' },
  },
  accountNotActive: {
    code: 'account_not_active',
    kind: 'forbidden',
    message: 'This account cannot sign in now.',
    translated: { tr: 'Bu hesapla şu anda oturum açılamaz.' },
  },
  emailNotConfirmed: {
    code: 'account_not_active',
    kind: 'forbidden',
    message: 'Confirm your e-mail address first: open the link that was sent to it.',
    translated: {
      tr: 'Önce e-posta adresinizi doğrulayın: size gönderilen iletideki bağlantıyı açın.',
    },
  },
  notApproved: {
    code: 'account_not_active',
    kind: 'forbidden',
    message: 'You are registered. An administrator has to approve you first.',
    translated: { tr: 'Kaydınız yapıldı. Önce bir yöneticinin hesabınızı onaylaması gerekiyor.' },
  },
  refreshNotActive: {
    code: 'account_not_active',
    kind: 'unauthenticated',
    message: 'This account cannot sign in now.',
    translated: { tr: 'Bu hesapla şu anda oturum açılamaz.' },
  },
  invalidToken: {
    code: 'invalid_token',
    kind: 'unauthenticated',
    message: 'The refresh token is not valid.',
    translated: { tr: 'Yenileme belirteci geçerli değil.' },
  },
  expiredToken: {
    code: 'expired_token',
    kind: 'unauthenticated',
    message: 'The refresh token has expired.',
    translated: { tr: 'Yenileme belirtecinin süresi doldu.' },
  },
  invalidOrExpiredCode: {
    code: 'invalid_or_expired_code',
    kind: 'invalid',
    message: 'The code is not valid, was used, or has expired.',
    translated: { tr: 'Kod geçerli değil, kullanılmış ya da süresi dolmuş.' },
  },
  mfaRequired: {
    code: 'mfa_required',
    kind: 'unauthenticated',
    message: 'This account needs a second step to sign in: update your app, or sign in on the web.',
    translated: {
      tr: 'Bu hesapla oturum açmak için ikinci bir adım gerekiyor: en yeni uygulamayı kullanın ya da web üzerinden oturum açın.',
    },
  },
  mfaEnrolmentRequired: {
    code: 'mfa_enrolment_required',
    kind: 'unauthenticated',
    message: 'Your role needs a second factor: sign in on the web and set one up first.',
    translated: {
      tr: 'Rolünüz için ikinci bir doğrulama yöntemi gerekiyor: önce web üzerinden oturum açıp bir tane kurun.',
    },
  },
  invalidChallenge: {
    code: 'invalid_or_expired_challenge',
    kind: 'unauthenticated',
    message: 'This sign-in was used, took too long or is no longer valid: start again.',
    translated: {
      tr: 'Bu oturum açma işlemi kullanılmış, çok uzun sürmüş ya da artık geçerli değil: baştan başlayın.',
    },
  },
  tokenReuseDetected: {
    code: 'token_reuse_detected',
    kind: 'unauthenticated',
    message: 'This refresh token was used before; all sessions of the account were ended.',
    translated: {
      tr: 'Bu yenileme belirteci daha önce kullanılmış; hesabın tüm oturumları kapatıldı.',
    },
  },
})
