import { type html, type PageOptions, page } from '../../http/page.ts'

/** A page with a form; the browser sends its origin, which proves that the form was ours. */
export function formPage(
  title: string,
  body: ReturnType<typeof html>,
  options: PageOptions,
): Promise<Response> {
  return page(title, body, { ...options, tellsOrigin: true })
}
