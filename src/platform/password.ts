import bcrypt from 'bcrypt'

/** Hashes passwords, deliberately slowly. Injected, so that tests stay fast. */
export interface PasswordHasher {
  hash(password: string): Promise<string>
  /** Without a hash (unknown account, or no password) takes the same time and returns false. */
  verify(password: string, hash: string | null | undefined): Promise<boolean>
}

/** bcrypt reads 72 bytes and silently ignores the rest, so longer passwords are refused. */
export const PASSWORD_MAX_BYTES = 72
export const PASSWORD_MIN_BYTES = 8

export function createBcryptHasher(workFactor: number): PasswordHasher {
  // A well-formed hash that matches no known password: comparing takes as long as with any other.
  const standIn = `$2b$${String(workFactor).padStart(2, '0')}$${'.'.repeat(53)}`
  return {
    hash: (password) => bcrypt.hash(password, workFactor),
    async verify(password, hash) {
      // A longer password could never have been set, so it is wrong even if its first 72 bytes match.
      const known = typeof hash === 'string' && Buffer.byteLength(password) <= PASSWORD_MAX_BYTES
      const matches = await bcrypt.compare(password, known ? hash : standIn)
      return known && matches
    },
  }
}
