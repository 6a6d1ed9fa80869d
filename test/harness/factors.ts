import { TOTP } from 'otpauth'
import type { Appliance } from './boot.ts'
import type { Person } from './people.ts'
import { assertDone, type Reply } from './rest.ts'

/** The code an authenticator app shows at the appliance's time, or `steps` periods of 30 s later. */
export function codeOf(mimir: Appliance, secret: string, steps = 0): string {
  return new TOTP({ secret }).generate({ timestamp: mimir.clock.now() + steps * 30_000 })
}

export interface SetUp {
  readonly secret: string
  readonly recoveryCodes: string[]
}

/** Sets up an authenticator app for a recently signed-in person; uses up the current code. */
export async function setUpTotp(mimir: Appliance, person: Person): Promise<SetUp> {
  const { secret } = assertDone(await person.rest.post('/api/me/totp'))
  const code = codeOf(mimir, secret)
  const { recoveryCodes } = assertDone(await person.rest.post('/api/me/totp/confirm', { code }))
  return { secret, recoveryCodes }
}

/** Attempts to sign in with the password only. */
export function tryPassword(mimir: Appliance, { name, password }: Person): Promise<Reply> {
  return mimir.rest().post('/api/auth/login', { usernameOrEmail: name, password })
}
