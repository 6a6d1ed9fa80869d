import { AppError, commonErrors } from '../platform/errors.ts'
import type { Language } from '../platform/language.ts'
import { alert, html, page } from './page.ts'
import { PAGE_TEXTS } from './page-text.ts'

/** Whether the client accepts HTML, as browsers do. */
export function wantsPage(request: Request): boolean {
  return request.headers.get('accept')?.includes('text/html') ?? false
}

/** A refusal as a page that shows its code for support, with the status and headers programs would get. */
export async function refusalPage(
  error: unknown,
  answer: Response,
  language: Language,
): Promise<Response> {
  const refusal = error instanceof AppError ? error : commonErrors.internal
  const told = await page(
    PAGE_TEXTS[language].refused,
    html`${alert(refusal, language)}
<p><small><code>${refusal.code}</code></small></p>`,
    { status: answer.status, language },
  )
  for (const [name, value] of answer.headers) {
    if (name !== 'content-type') told.headers.set(name, value)
  }
  return told
}
