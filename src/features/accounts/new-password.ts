import type { Ctx } from '../../context.ts'
import { AppError } from '../../platform/errors.ts'
import { accountErrors } from './errors.ts'

/**
 * The hash of a password that somebody chose; `password_too_common` for one of the 50,000 that are tried first
 * (NIST SP 800-63B-4 §3.1.1.2). Capitals make none of them another.
 */
export async function hashNewPassword(
  { passwords }: Pick<Ctx, 'passwords'>,
  password: string,
): Promise<string> {
  // Half a megabyte, of no use to a server where nobody sets a password.
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  if (dictionary['passwords-common'].includes(password.toLowerCase())) {
    throw new AppError(accountErrors.passwordTooCommon)
  }
  return passwords.hash(password)
}
