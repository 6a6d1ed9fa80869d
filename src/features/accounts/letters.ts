import { html } from 'hono/html'
import type { Mail } from '../../outbound/mail.ts'
import type { Language } from '../../platform/language.ts'
import { type Actor, languageOf } from '../../policy/actor.ts'

type Letter =
  | 'confirmEmail'
  | 'confirmChange'
  | 'resetPassword'
  | 'emailChanged'
  | 'approved'
  | 'approvalNeeded'

interface Words {
  readonly subject: string
  /** `WHO` stands for the name of the person concerned, if that is not the reader. */
  readonly text: string
  /** The link's label; absent if the letter has no link. */
  readonly link?: string
  readonly note: string
}

interface Phrases {
  readonly hello: (name: string) => string
  readonly letters: Readonly<Record<Letter, Words>>
}

const PHRASES: Readonly<Record<Language, Phrases>> = {
  en: {
    hello: (name) => `Hello ${name},`,
    letters: {
      confirmEmail: {
        subject: 'Confirm your e-mail address',
        text: 'Open this link to confirm your e-mail address:',
        link: 'Confirm the address',
        note: 'It is valid for 30 minutes. If you did not register, ignore this message.',
      },
      confirmChange: {
        subject: 'Confirm your new e-mail address',
        text: 'Open this link to make this the e-mail address of your account:',
        link: 'Confirm the new address',
        note: 'It is valid for 30 minutes. If you did not ask for this, ignore this message.',
      },
      resetPassword: {
        subject: 'Set a new password',
        text: 'Open this link to set a new password:',
        link: 'Set a new password',
        note: 'It works once and is valid for 30 minutes. If you did not ask for this, ignore this message: your password stays as it is.',
      },
      emailChanged: {
        subject: 'Your e-mail address was changed',
        text: 'The e-mail address of your account was changed, and this one no longer belongs to it.',
        note: 'If you did not do this, change your password and tell the administrator of your server.',
      },
      approved: {
        subject: 'Your account is ready',
        text: 'An administrator has approved your account: you can sign in now.',
        note: 'If you did not register, tell the administrator of the server.',
      },
      approvalNeeded: {
        subject: 'Someone is waiting for approval',
        text: 'WHO has registered, confirmed the e-mail address, and is waiting for approval.',
        note: 'Decide in your app, or on the server: mimir user review',
      },
    },
  },
  tr: {
    hello: (name) => `Merhaba ${name},`,
    letters: {
      confirmEmail: {
        subject: 'E-posta adresinizi doğrulayın',
        text: 'e-posta adresinizi doğrulamak için bu bağlantıyı açın:',
        link: 'Adresi doğrula',
        note: 'Bağlantı 30 dakika geçerlidir. Kayıt olmadıysanız bu iletiyi dikkate almayın.',
      },
      confirmChange: {
        subject: 'Yeni e-posta adresinizi doğrulayın',
        text: 'bu adresi hesabınızın e-posta adresi yapmak için bu bağlantıyı açın:',
        link: 'Yeni adresi doğrula',
        note: 'Bağlantı 30 dakika geçerlidir. Bunu siz istemediyseniz bu iletiyi dikkate almayın.',
      },
      resetPassword: {
        subject: 'Yeni bir parola belirleyin',
        text: 'yeni bir parola belirlemek için bu bağlantıyı açın:',
        link: 'Yeni parola belirle',
        note: 'Bağlantı bir kez kullanılabilir ve 30 dakika geçerlidir. Bunu siz istemediyseniz bu iletiyi dikkate almayın: parolanız değişmez.',
      },
      emailChanged: {
        subject: 'E-posta adresiniz değiştirildi',
        text: 'hesabınızın e-posta adresi değiştirildi; bu adres artık hesabınıza ait değil.',
        note: 'Bunu siz yapmadıysanız parolanızı değiştirin ve sunucunuzun yöneticisine haber verin.',
      },
      approved: {
        subject: 'Hesabınız hazır',
        text: 'bir yönetici hesabınızı onayladı: artık oturum açabilirsiniz.',
        note: 'Kayıt olmadıysanız sunucunun yöneticisine haber verin.',
      },
      approvalNeeded: {
        subject: 'Onay bekleyen biri var',
        text: 'WHO kayıt oldu, e-posta adresini doğruladı ve bir yöneticinin onayını bekliyor.',
        note: 'Kararınızı uygulamada ya da sunucuda verin: mimir user review',
      },
    },
  },
}

export interface LetterFor {
  readonly to: string
  /** The reader's name. */
  readonly username: string
  readonly link?: string
  readonly who?: string
}

/** Writes a letter, as text and as HTML, in the language of the call that caused it. */
export function writeLetter(actor: Actor, letter: Letter, about: LetterFor): Mail {
  const language = languageOf(actor)
  const { hello, letters } = PHRASES[language]
  const words = letters[letter]
  const greeting = hello(about.username)
  const { link, who = '' } = about
  const text = words.text.replace('WHO', () => who)
  const lines = [`${greeting}\n`, text, ...(link ? [link] : []), `\n${words.note}\n`]
  const document = html`<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><title>${words.subject}</title></head>
<body>
<p>${greeting}</p>
<p>${text}</p>
${link ? html`<p><a href="${link}">${words.link}</a></p>\n<p><small>${link}</small></p>` : ''}
<p>${words.note}</p>
</body>
</html>
`
  return { to: about.to, subject: words.subject, text: lines.join('\n'), html: String(document) }
}
