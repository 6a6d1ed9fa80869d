import { AppError, commonErrors } from '../platform/errors.ts'
import { html, page } from './page.ts'

/** Whether the answer is for a person to look at. */
export function wantsPage(request: Request): boolean {
  return request.headers.get('accept')?.includes('text/html') ?? false
}

/** A refusal as a page, with its code for whoever is asked for help, with the status and the headers of the answer that a program would get. */
export async function refusalPage(error: unknown, answer: Response): Promise<Response> {
  const { message, code } = error instanceof AppError ? error : commonErrors.internal
  const told = await page(
    'This does not work',
    html`<p role="alert">${message}</p>
<p><small><code>${code}</code></small></p>`,
    { status: answer.status },
  )
  for (const [name, value] of answer.headers) {
    if (name !== 'content-type') told.headers.set(name, value)
  }
  return told
}
