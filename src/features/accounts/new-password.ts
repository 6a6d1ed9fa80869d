import type { Ctx } from '../../context.ts'
import { AppError } from '../../platform/errors.ts'
import { accountErrors } from './errors.ts'

/**
 * Hashes a password that somebody chose. If so configured, throws `password_too_common` for one of the
 * 50,000 most common ones (NIST SP 800-63B-4 §3.1.1.2), ignoring case.
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
  // Loaded on demand: half a megabyte, useless to a server where nobody sets a password.
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  return dictionary['passwords-common'].includes(password.toLowerCase())
}
