import { definePageErrors } from '../../platform/errors.ts'

export const accountErrors = definePageErrors({
  registrationFailed: {
    code: 'registration_failed',
    kind: 'invalid',
    message: 'An account cannot be created with these details.',
    translated: { tr: 'Bu bilgilerle hesap oluşturulamıyor.' },
  },
  missingToken: {
    code: 'missing_token',
    kind: 'invalid',
    message: 'The link has no token.',
    translated: { tr: 'Bağlantının kodu eksik.' },
  },
  invalidOrExpiredToken: {
    code: 'invalid_or_expired_token',
    kind: 'invalid',
    message: 'The link is not valid, was used, or has expired.',
    translated: { tr: 'Bağlantı geçerli değil, kullanılmış ya da süresi dolmuş.' },
  },
  invalidState: {
    code: 'invalid_state',
    kind: 'invalid',
    message: 'The account is not at this step.',
    translated: { tr: 'Hesap bu adımı beklemiyor.' },
  },
  currentPasswordIncorrect: {
    code: 'current_password_incorrect',
    kind: 'invalid',
    message: 'The current password is incorrect.',
    translated: { tr: 'Geçerli parolanız doğru değil.' },
  },
  passwordTooCommon: {
    code: 'password_too_common',
    kind: 'invalid',
    message: 'This password is too common: choose another.',
    translated: { tr: 'Bu parola ilk denenenlerden biri: başka bir parola seçin.' },
  },
  newPasswordSameAsCurrent: {
    code: 'new_password_same_as_current',
    kind: 'invalid',
    message: 'The new password is the same as the current one.',
    translated: { tr: 'Yeni parola şimdikiyle aynı.' },
  },
  noMailServer: {
    code: 'no_mail_server',
    kind: 'conflict',
    message: 'This server sends no mail, so the address cannot be confirmed.',
    translated: { tr: 'Bu sunucu e-posta göndermiyor; bu nedenle adres doğrulanamaz.' },
  },
  userNotPending: {
    code: 'user_not_pending',
    kind: 'invalid',
    message: 'This account is not awaiting approval.',
    translated: { tr: 'Bu hesap onay beklemiyor.' },
  },
  invalidDecision: {
    code: 'invalid_decision',
    kind: 'invalid',
    message: 'The decision must be approve, reject or suspend.',
    translated: { tr: 'Karar approve, reject ya da suspend olmalıdır.' },
  },
  lastAdmin: {
    code: 'last_admin',
    kind: 'conflict',
    message: 'This is the last administrator: appoint another first.',
    translated: { tr: 'Bu son yönetici: önce başka birini yönetici yapın.' },
  },
  ownerAlone: {
    code: 'owner_alone',
    kind: 'forbidden',
    message: 'Only an owner may do this to an owner.',
    translated: { tr: 'Sunucu sahibine bunu yalnızca bir sunucu sahibi yapabilir.' },
  },
  notSuspended: {
    code: 'user_not_suspended',
    kind: 'invalid',
    message: 'This account is not suspended.',
    translated: { tr: 'Bu hesap askıya alınmamış.' },
  },
  notEmpty: {
    code: 'accounts_exist',
    kind: 'conflict',
    message: 'Accounts already exist: the first administrator was created earlier.',
    translated: { tr: 'Zaten hesaplar var: ilk yönetici daha önce oluşturulmuş.' },
  },
  notService: {
    code: 'name_taken',
    kind: 'conflict',
    message: 'The name belongs to an account that is not a service.',
    translated: { tr: 'Bu ad, hizmet olmayan bir hesaba ait.' },
  },
  isService: {
    code: 'account_is_a_service',
    kind: 'conflict',
    message: 'A service has no other role: grant it roles from MIMIR_RBAC_CONFIG.',
    translated: { tr: 'Bir hizmetin başka rolü olmaz: ona MIMIR_RBAC_CONFIG rollerinden verin.' },
  },
  serviceHasNoPassword: {
    code: 'service_has_no_password',
    kind: 'conflict',
    message: 'A service has no password: create an API key for it.',
    translated: { tr: 'Bir hizmetin parolası olmaz: ona bir API anahtarı oluşturun.' },
  },
  userNotFound: {
    code: 'user_not_found',
    kind: 'not_found',
    message: 'There is no such user.',
    translated: { tr: 'Böyle bir kullanıcı yok.' },
  },
})
