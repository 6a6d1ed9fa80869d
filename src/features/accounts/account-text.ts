import type { Language } from '../../platform/language.ts'

/** Texts of the pages behind invitation links and the links in letters. */
export interface AccountText {
  readonly front: string
  readonly manage: string
  readonly invited: string
  readonly makeAccount: string
  readonly username: string
  readonly usernameRule: string
  readonly email: string
  readonly password: string
  readonly passwordRule: string
  readonly join: string
  openUntil(day: string): string
  readonly registered: string
  /** The username follows. */
  readonly welcome: string
  readonly nowConfirm: string
  readonly nowWait: string
  /** The server's address follows. */
  readonly thenSignIn: string
  readonly thanks: string
  readonly confirmed: string
  readonly emailChanged: string
  readonly setPassword: string
  readonly newPassword: string
  readonly set: string
  readonly passwordChanged: string
  readonly signedOut: string
  readonly forgotten: string
  readonly confirmAddress: string
  readonly linkIsSent: string
  readonly sendLink: string
  readonly sendNewLink: string
  readonly readMail: string
  readonly linkWasSent: string
  readonly noMail: string
  readonly newInvitation: string
  readonly badUsername: string
  readonly badEmail: string
  readonly badPassword: string
  readonly badForm: string
}

export const ACCOUNT_TEXTS: Readonly<Record<Language, AccountText>> = {
  en: {
    front: 'This is a private messaging server. To join, open the invitation link you were given.',
    manage: 'Sign in to set up passkeys or an authenticator app',
    invited: 'You are invited to Mimir',
    makeAccount: 'Create your account. An administrator will then approve it.',
    username: 'Username',
    usernameRule: '3 to 50 letters, digits and underscores',
    email: 'E-mail',
    password: 'Password',
    passwordRule: 'at least 8 characters',
    join: 'Join',
    openUntil: (day) => `The invitation is for one person and is open until ${day}.`,
    registered: 'You are registered',
    welcome: 'Welcome,',
    nowConfirm: 'Registered. Confirm your e-mail address with the link that was sent to it.',
    nowWait: 'Registered. An administrator has to approve the account.',
    thenSignIn: 'Then sign in with a Mimir app. When it asks for the server, enter',
    thanks: 'Thank you',
    confirmed: 'E-mail address confirmed. An administrator has to approve the account.',
    emailChanged: 'The e-mail address of the account was changed.',
    setPassword: 'Set a new password',
    newPassword: 'New password',
    set: 'Set the password',
    passwordChanged: 'Your password was changed',
    signedOut: 'Every device was signed out: sign in with the new password.',
    forgotten: 'Forgot your password?',
    confirmAddress: 'Confirm your e-mail address',
    linkIsSent: 'Enter the e-mail address of your account. A link will be sent to it.',
    sendLink: 'Send the link',
    sendNewLink: 'Send a new link',
    readMail: 'Check your e-mail',
    linkWasSent:
      'If an account with this address needs a link, one was sent. It works for 30 minutes.',
    noMail: 'This server sends no e-mail: ask an administrator.',
    newInvitation:
      'If you have already registered with this link, sign in with a Mimir app. Otherwise ask for a new invitation.',
    badUsername: 'The username must be 3 to 50 letters, digits or underscores.',
    badEmail: 'This is not an e-mail address.',
    badPassword: 'The password must be 8 to 72 bytes long.',
    badForm: 'Something in the form is not valid.',
  },
  tr: {
    front:
      'Bu, özel bir mesajlaşma sunucusudur. Katılmak için size verilen davet bağlantısını açın.',
    manage: 'Geçiş anahtarı ya da kimlik doğrulama uygulaması kurmak için oturum açın',
    invited: 'Mimir’e davet edildiniz',
    makeAccount: 'Hesabınızı oluşturun. Ardından bir yöneticinin hesabınızı onaylaması gerekir.',
    username: 'Kullanıcı adı',
    usernameRule: '3-50 karakter: İngilizce harfler, rakamlar ve alt çizgi',
    email: 'E-posta',
    password: 'Parola',
    passwordRule: 'en az 8 karakter',
    join: 'Katıl',
    openUntil: (day) => `Davet tek kişiliktir; son geçerlilik tarihi ${day}.`,
    registered: 'Kaydınız yapıldı',
    welcome: 'Hoş geldiniz,',
    nowConfirm: 'Şimdi e-posta adresinizi, size gönderilen bağlantıyla doğrulayın.',
    nowWait: 'Şimdi bir yöneticinin hesabınızı onaylaması gerekiyor.',
    thenSignIn:
      'Ardından bir Mimir uygulamasıyla oturum açın. Uygulama sunucuyu sorduğunda adres şudur:',
    thanks: 'Teşekkürler',
    confirmed:
      'E-posta adresiniz doğrulandı. Şimdi bir yöneticinin hesabınızı onaylaması gerekiyor.',
    emailChanged: 'Hesabınızın e-posta adresi değiştirildi.',
    setPassword: 'Yeni bir parola belirleyin',
    newPassword: 'Yeni parola',
    set: 'Parolayı belirle',
    passwordChanged: 'Parolanız değiştirildi',
    signedOut: 'Tüm cihazlarınızda oturum kapatıldı: yeni parolanızla oturum açın.',
    forgotten: 'Parolanızı mı unuttunuz?',
    confirmAddress: 'E-posta adresinizi doğrulayın',
    linkIsSent: 'Hesabınızın e-posta adresini girin. Bu adrese bir bağlantı gönderilecek.',
    sendLink: 'Bağlantıyı gönder',
    sendNewLink: 'Yeni bir bağlantı gönder',
    readMail: 'E-postanıza bakın',
    linkWasSent:
      'Bu adresle kayıtlı bir hesap bağlantı bekliyorsa bağlantı gönderildi. 30 dakika geçerlidir.',
    noMail: 'Bu sunucu e-posta göndermiyor: bir yöneticiye başvurun.',
    newInvitation:
      'Bu bağlantıyla daha önce kaydolduysanız bir Mimir uygulamasıyla oturum açın. Kaydolmadıysanız yeni bir davet isteyin.',
    badUsername:
      'Kullanıcı adı 3-50 karakter olmalıdır: İngilizce harfler, rakamlar ya da alt çizgi.',
    badEmail: 'Bu bir e-posta adresi değil.',
    badPassword: 'Parola 8-72 bayt olmalıdır.',
    badForm: 'Formdaki bir bilgi geçerli değil.',
  },
}
