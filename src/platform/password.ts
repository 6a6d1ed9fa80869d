import bcrypt from 'bcrypt'

/** Hashes passwords, slowly on purpose. Passed in, so that tests are not slow. */
export interface PasswordHasher {
  hash(password: string): Promise<string>
  /** With no hash (unknown account) it takes the same time and answers false. */
  verify(password: string, hash: string | undefined): Promise<boolean>
}

/** bcrypt reads 72 bytes and silently ignores the rest: longer passwords are refused, not cut. */
export const PASSWORD_MAX_BYTES = 72
export const PASSWORD_MIN_BYTES = 8

export function createBcryptHasher(workFactor: number): PasswordHasher {
  let standIn: Promise<string> | undefined
  return {
    hash: (password) => bcrypt.hash(password, workFactor),
    async verify(password, hash) {
      if (hash !== undefined) return bcrypt.compare(password, hash)
      standIn ??= bcrypt.hash('no account has this password', workFactor)
      await bcrypt.compare(password, await standIn)
      return false
    },
  }
}
