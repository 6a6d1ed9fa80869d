import type { Language } from '../../platform/language.ts'

/** Texts of the page behind a link that signs another device in. */
interface LinkText {
  readonly signIn: string
  /** The server's address follows. */
  readonly open: string
  /** The code follows. */
  readonly code: string
  readonly keep: string
}

export const LINK_TEXTS: Readonly<Record<Language, LinkText>> = {
  en: {
    signIn: 'Sign this device in',
    open: 'Open this link with your Mimir app, or enter the code there within two minutes. The server is',
    code: 'The code is',
    keep: 'Anyone who has the code can sign in as you. Do not share it.',
  },
  tr: {
    signIn: 'Bu cihazda oturum açın',
    open: 'Bu bağlantıyı Mimir uygulamanızla açın ya da kodu iki dakika içinde uygulamaya girin. Sunucu adresi:',
    code: 'Kod:',
    keep: 'Kodu bilen herkes sizin hesabınızla oturum açabilir. Kodu kimseyle paylaşmayın.',
  },
}
