import bcrypt from 'bcrypt'

/** Hashes passwords, slowly on purpose. Passed in, so that tests are not slow. */
export interface PasswordHasher {
  hash(password: string): Promise<string>
  /** With no hash (unknown account, or one without a password) it takes the same time and answers false. */
  verify(password: string, hash: string | null | undefined): Promise<boolean>
}

/** bcrypt reads 72 bytes and silently ignores the rest: longer passwords are refused, not cut. */
export const PASSWORD_MAX_BYTES = 72
export const PASSWORD_MIN_BYTES = 8

export function createBcryptHasher(workFactor: number): PasswordHasher {
  // The form of a hash that no known password has: comparing with it costs what any other costs.
  const standIn = `$2b$${String(workFactor).padStart(2, '0')}$${'.'.repeat(53)}`
  return {
    hash: (password) => bcrypt.hash(password, workFactor),
    async verify(password, hash) {
      // What bcrypt would cut could not be set, so it is not right, whatever its first 72 bytes are.
      const known = typeof hash === 'string' && Buffer.byteLength(password) <= PASSWORD_MAX_BYTES
      const matches = await bcrypt.compare(password, known ? hash : standIn)
      return known && matches
    },
  }
}
