import { type html, type PageOptions, page } from '../../http/page.ts'

/** A page of which a form comes back to us, with the word of the browser that it was ours. */
export function formPage(
  title: string,
  body: ReturnType<typeof html>,
  options: PageOptions,
): Promise<Response> {
  return page(title, body, { ...options, tellsOrigin: true })
}
