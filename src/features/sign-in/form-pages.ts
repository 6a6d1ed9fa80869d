import { type html, type PageOptions, page } from '../../http/page.ts'

/** A page with a form: the browser may send its origin, which shows that the form came from us. */
export function formPage(
  title: string,
  body: ReturnType<typeof html>,
  options: PageOptions,
): Promise<Response> {
  return page(title, body, { ...options, tellsOrigin: true })
}
