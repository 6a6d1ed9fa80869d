import type { Ctx } from '../context.ts'
import { checkConsent } from '../features/privacy/consents.ts'
import type { Knock } from '../policy/admission.ts'

/**
 * The door of every transport, behind the credential and before the rights: whether the server takes
 * the call at this time, and whether the caller has agreed to its terms.
 *
 * @param path of what is called, without the prefix: some of it is open to those who have not agreed.
 */
export async function admit(
  ctx: Pick<Ctx, 'admission' | 'db' | 'config'>,
  knock: Knock,
  path: string,
): Promise<void> {
  ctx.admission.check(knock)
  await checkConsent(ctx, knock.actor, path)
}
