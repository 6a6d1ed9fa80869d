import { SignJWT } from 'jose'
import type { Person } from './people.ts'

const TOKEN_LIFE_S = 15 * 60

/** Access tokens as the server would issue them, by user id. */
export async function mintTokens(
  jwtKey: string,
  people: readonly Person[],
): Promise<Map<string, string>> {
  const key = new TextEncoder().encode(jwtKey)
  const now = Math.floor(Date.now() / 1000)
  const mint = ({ id, username }: Person) =>
    new SignJWT({ email: `${username}@bench.example`, username })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(id)
      .setJti(crypto.randomUUID())
      .setIssuer('mimir-api')
      .setAudience('mimir-mobile')
      .setNotBefore(now)
      .setExpirationTime(now + TOKEN_LIFE_S)
      .sign(key)
  const minted = people.map(async (person) => [person.id, await mint(person)] as const)
  return new Map(await Promise.all(minted))
}
