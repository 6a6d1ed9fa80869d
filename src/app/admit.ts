import type { Ctx } from '../context.ts'
import { checkConsent } from '../features/privacy/consents.ts'
import type { AdmissionRequest } from '../policy/admission.ts'

/**
 * Called by every transport after authentication and before authorization: throws if the server does not
 * take such calls now, or if the caller has not agreed to its terms.
 *
 * @param path of the call, without the prefix: some paths are open to callers who have not agreed yet.
 */
export async function admit(
  ctx: Pick<Ctx, 'admission' | 'db' | 'config'>,
  request: AdmissionRequest,
  path: string,
): Promise<void> {
  ctx.admission.check(request)
  await checkConsent(ctx, request.actor, path)
}
