import type { Language } from '../../platform/language.ts'
import type { Scope } from './schema.ts'

/** The words of the consent page and of the list of clients. */
export interface ConsentText {
  title(client: string): string
  signedInAs(username: string): string
  vouched(host: string): string
  claimed(host: string): string
  readonly unvouched: string
  readonly toThisDevice: string
  toHost(host: string): string
  toApp(scheme: string): string
  readonly mayDo: string
  readonly scopes: Readonly<Record<Scope, string>>
  /** How long access lasts, in days: at most, and while unused. */
  lasts(most: number, unused: number): string
  readonly allow: string
  readonly refuse: string
  readonly takeBack: string
  readonly clients: string
  readonly none: string
  readonly shutOut: string
  lastUsed(day: string): string
  until(day: string): string
  readonly signOut: string
}

export const CONSENT_TEXTS: Readonly<Record<Language, ConsentText>> = {
  en: {
    title: (client) => `Let ${client} act on your behalf?`,
    signedInAs: (username) => `You are signed in as ${username}.`,
    vouched: (host) => `It is a client of ${host}.`,
    claimed: (host) =>
      `It says that it comes from ${host}, but any program on this device can say so. Continue only if you have just started this yourself.`,
    unvouched:
      'This name is not verified. Continue only if you have just started this in a program that you trust.',
    toThisDevice: 'Your answer goes to a program on this device.',
    toHost: (host) => `Your answer goes to ${host}.`,
    toApp: (scheme) => `Your answer goes to the app on this device that opens ${scheme} addresses.`,
    mayDo: 'Tick what it may do:',
    scopes: {
      'mcp:read': 'Read your memory and TODO lists',
      'mcp:write': 'Add, change and delete items in your memory and TODO lists',
      'mcp:admin': 'Delete your whole memory at once, and help administer this server',
      'conversations:read': 'See which conversations you have, and with whom',
      'messages:read': 'Read the messages in your conversations',
      'messages:search': 'Search your messages',
      'messages:write': 'Send messages on your behalf',
    },
    lasts: (most, unused) =>
      `Access lasts ${most} days; a client that is not used for ${Math.min(most, unused)} days has to ask again.`,
    allow: 'Allow',
    refuse: 'Deny',
    takeBack: 'You can revoke this at any time',
    clients: 'AI clients you have allowed',
    none: 'There are none.',
    shutOut: 'Revoke',
    lastUsed: (day) => `last used ${day}`,
    until: (day) => `until ${day}`,
    signOut: 'Sign out',
  },
  tr: {
    title: (client) => `${client} sizin adınıza işlem yapsın mı?`,
    signedInAs: (username) => `${username} olarak oturum açtınız.`,
    vouched: (host) => `Bu, ${host} adresinin istemcisidir.`,
    claimed: (host) =>
      `${host} adresinden geldiğini söylüyor; bunu bu cihazdaki her program söyleyebilir. Yalnızca bu işlemi az önce siz başlattıysanız devam edin.`,
    unvouched:
      'Bu adı kimse doğrulamadı. Yalnızca bu işlemi güvendiğiniz bir programda az önce siz başlattıysanız devam edin.',
    toThisDevice: 'Yanıtınız bu cihazdaki bir programa gider.',
    toHost: (host) => `Yanıtınız ${host} adresine gider.`,
    toApp: (scheme) => `Yanıtınız bu cihazda ${scheme} adreslerini açan uygulamaya gider.`,
    mayDo: 'Yalnızca işaretlediklerinizi yapabilir:',
    scopes: {
      'mcp:read': 'Belleğinizi ve yapılacaklar listelerinizi okumak',
      'mcp:write':
        'Belleğinize ve yapılacaklar listelerinize eklemek, oradakileri değiştirmek ve silmek',
      'mcp:admin': 'Belleğinizin tümünü tek seferde silmek ve bu sunucunun yönetimine yardım etmek',
      'conversations:read': 'Hangi sohbetleriniz olduğunu ve kimlerle konuştuğunuzu görmek',
      'messages:read': 'Sohbetlerinizdeki mesajları okumak',
      'messages:search': 'Mesajlarınızda arama yapmak',
      'messages:write': 'Sizin adınıza mesaj göndermek',
    },
    lasts: (most, unused) =>
      `Bu izin ${most} gün geçerlidir; ${Math.min(most, unused)} gün kullanılmayan istemci yeniden sormak zorundadır.`,
    allow: 'İzin ver',
    refuse: 'Reddet',
    takeBack: 'Bu izni istediğiniz zaman geri alabilirsiniz',
    clients: 'İzin verdiğiniz yapay zekâ istemcileri',
    none: 'Hiç yok.',
    shutOut: 'İzni kaldır',
    lastUsed: (day) => `son kullanım ${day}`,
    until: (day) => `geçerlilik sonu ${day}`,
    signOut: 'Oturumu kapat',
  },
}
