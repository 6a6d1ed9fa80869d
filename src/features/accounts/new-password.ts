import type { Ctx } from '../../context.ts'
import { AppError } from '../../platform/errors.ts'
import { accountErrors } from './errors.ts'

/**
 * The hash of a password that somebody chose; where the settings say so, `password_too_common` for one of
 * the 50,000 that are tried first (NIST SP 800-63B-4 §3.1.1.2). Capitals make none of them another.
 */
export async function hashNewPassword(
  { passwords, config }: Pick<Ctx, 'passwords' | 'config'>,
  password: string,
): Promise<string> {
  if (config.refusesCommonPasswords && (await isCommon(password))) {
    throw new AppError(accountErrors.passwordTooCommon)
  }
  return passwords.hash(password)
}

async function isCommon(password: string): Promise<boolean> {
  // Half a megabyte, of no use to a server where nobody sets a password.
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  return dictionary['passwords-common'].includes(password.toLowerCase())
}
