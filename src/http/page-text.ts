import type { Language } from '../platform/language.ts'

/** Texts of the pages that any slice may serve. */
interface PageText {
  readonly refused: string
  readonly oneMoment: string
  readonly goOn: string
}

export const PAGE_TEXTS: Readonly<Record<Language, PageText>> = {
  en: {
    refused: 'This did not work',
    oneMoment: 'One moment',
    goOn: 'Continue',
  },
  tr: {
    refused: 'Bu işlem yapılamadı',
    oneMoment: 'Bir saniye',
    goOn: 'Devam et',
  },
}
