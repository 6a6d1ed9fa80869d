import type { Language } from '../../platform/language.ts'

/** The texts of the sign-in pages and of the account page. */
export interface SignInText {
  readonly signIn: string
  signInWith(provider: string): string
  readonly signInWithPasskey: string
  readonly usernameOrEmail: string
  readonly password: string
  readonly forgotPassword: string
  readonly nothingGiven: string
  readonly noPasskey: string
  readonly signOut: string
  readonly signedOut: string
  readonly signInAgain: string

  readonly oneMoreStep: string
  readonly usePasskey: string
  readonly anyCode: string
  readonly recoveryCode: string
  readonly goOn: string
  readonly setUpFactor: string
  readonly factorNeeded: string
  readonly begin: string
  readonly scan: string
  readonly qrCode: string
  /** For a phone, which cannot scan its own screen. */
  readonly openApp: string
  /** Followed by the secret. */
  readonly orType: string
  readonly shownCode: string
  readonly keepCodes: string
  readonly codesWork: string
  readonly kept: string

  signedInAs(username: string): string
  readonly passkeys: string
  readonly passkeyName: string
  /** The default name of a passkey. */
  readonly aPasskey: string
  readonly addPasskey: string
  readonly authenticator: string
  readonly setUp: string
  readonly setUpAuthenticator: string
  readonly confirm: string
  readonly remove: string
  /** Tells screen readers which of several buttons it is; begins with `remove`. */
  removeOne(name: string): string
  codesLeft(count: number): string
  readonly elsewhere: string
  connect(provider: string): string
  readonly clients: string
  readonly showYourself: string

  /** Texts in place of the browser's own passkey errors, which may be in any language. */
  readonly passkeySilent: string
  readonly passkeyThere: string
}

export const SIGN_IN_TEXTS: Readonly<Record<Language, SignInText>> = {
  en: {
    signIn: 'Sign in',
    signInWith: (provider) => `Sign in with ${provider}`,
    signInWithPasskey: 'Sign in with a passkey',
    usernameOrEmail: 'Username or e-mail',
    password: 'Password',
    forgotPassword: 'Forgot your password?',
    nothingGiven: 'Enter a name and a password.',
    noPasskey: 'Your browser did not provide a passkey.',
    signOut: 'Sign out',
    signedOut: 'You are signed out',
    signInAgain: 'Sign in again',

    oneMoreStep: 'One more step',
    usePasskey: 'Use a passkey',
    anyCode: 'Code from your authenticator app, or a recovery code',
    recoveryCode: 'Recovery code',
    goOn: 'Continue',
    setUpFactor: 'Set up a second factor',
    factorNeeded: 'Your role needs a second factor. You need an authenticator app on your phone.',
    begin: 'Start',
    scan: 'Scan this with your authenticator app:',
    qrCode: 'QR code',
    openApp: 'Open the app on this device',
    orType: 'or type',
    shownCode: 'The code it shows now',
    keepCodes: 'Save your recovery codes',
    codesWork:
      'Each works once in place of your second factor. They are not shown again: write them down.',
    kept: 'I have saved them: continue',

    signedInAs: (username) => `You are signed in as ${username}`,
    passkeys: 'Passkeys',
    passkeyName: 'Name for it',
    aPasskey: 'Passkey',
    addPasskey: 'Add a passkey',
    authenticator: 'Authenticator app',
    setUp: 'Set up',
    setUpAuthenticator: 'Set up an authenticator app',
    confirm: 'Confirm',
    remove: 'Remove',
    removeOne: (name) => `Remove ${name}`,
    codesLeft: (count) => `Recovery codes left: ${count}`,
    elsewhere: 'Other ways to sign in',
    connect: (provider) => `Connect ${provider}`,
    clients: 'AI clients you have allowed',
    showYourself: 'Confirm that it is you',

    passkeySilent: 'The passkey did not respond.',
    passkeyThere: 'This passkey is already added.',
  },
  tr: {
    signIn: 'Oturum aç',
    signInWith: (provider) => `${provider} ile oturum aç`,
    signInWithPasskey: 'Geçiş anahtarıyla oturum aç',
    usernameOrEmail: 'Kullanıcı adı ya da e-posta',
    password: 'Parola',
    forgotPassword: 'Parolanızı mı unuttunuz?',
    nothingGiven: 'Kullanıcı adınızı ve parolanızı girin.',
    noPasskey: 'Tarayıcınız bir geçiş anahtarı sunmadı.',
    signOut: 'Oturumu kapat',
    signedOut: 'Oturumunuz kapatıldı',
    signInAgain: 'Yeniden oturum aç',

    oneMoreStep: 'Bir adım daha',
    usePasskey: 'Geçiş anahtarı kullan',
    anyCode: 'Kimlik doğrulama uygulamanızın kodu ya da bir kurtarma kodu',
    recoveryCode: 'Kurtarma kodu',
    goOn: 'Devam et',
    setUpFactor: 'İkinci doğrulama yöntemini kurun',
    factorNeeded:
      'Rolünüz için ikinci bir doğrulama yöntemi gerekiyor. Telefonunuzda bir kimlik doğrulama uygulaması bulunmalıdır.',
    begin: 'Başla',
    scan: 'Bunu kimlik doğrulama uygulamanızla tarayın:',
    qrCode: 'QR kodu',
    openApp: 'Uygulamayı bu cihazda aç',
    orType: 'ya da şunu yazın:',
    shownCode: 'Uygulamanın şu anda gösterdiği kod',
    keepCodes: 'Kurtarma kodlarınızı saklayın',
    codesWork:
      'Her biri ikinci doğrulama yönteminizin yerine bir kez kullanılabilir. Bir daha gösterilmezler: bir yere yazın.',
    kept: 'Sakladım, devam et',

    signedInAs: (username) => `${username} olarak oturum açtınız`,
    passkeys: 'Geçiş anahtarları',
    passkeyName: 'Vereceğiniz ad',
    aPasskey: 'Geçiş anahtarı',
    addPasskey: 'Geçiş anahtarı ekle',
    authenticator: 'Kimlik doğrulama uygulaması',
    setUp: 'Kur',
    setUpAuthenticator: 'Kimlik doğrulama uygulamasını kurun',
    confirm: 'Doğrula',
    remove: 'Kaldır',
    removeOne: (name) => `Kaldır: ${name}`,
    codesLeft: (count) => `Kalan kurtarma kodu: ${count}`,
    elsewhere: 'Başka hesaplarla oturum açma',
    connect: (provider) => `${provider} hesabını bağla`,
    clients: 'İzin verdiğiniz yapay zekâ istemcileri',
    showYourself: 'Kimliğimi doğrula',

    passkeySilent: 'Geçiş anahtarı yanıt vermedi.',
    passkeyThere: 'Bu geçiş anahtarı zaten ekli.',
  },
}
