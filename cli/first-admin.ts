import { askNewPassword, askText } from './ask.ts'
import { Refusal } from './failure.ts'

export interface Admin {
  readonly username: string
  readonly email: string
  readonly password: string
}

/** Asks for the fields that are not given. */
export async function askAdmin(given: Partial<Admin> = {}): Promise<Admin> {
  const { Email, Password, Username } = await import('../src/features/accounts/schema.ts')
  const username = given.username ?? (await askText('Username of the administrator', Username))
  const email = given.email ?? (await askText('Their e-mail address', Email))
  const password = await askNewPassword('Their password', Password)
  return checkAdmin({ username, email, password })
}

/** Returns the input trimmed; throws a `Refusal` that names every invalid field. */
export async function checkAdmin(admin: Admin): Promise<Admin> {
  const { Email, Password, Username } = await import('../src/features/accounts/schema.ts')
  const username = Username.safeParse(admin.username)
  const email = Email.safeParse(admin.email)
  const password = Password.safeParse(admin.password)
  const problems = [
    username.success ? '' : '--admin-username must be 3 to 50 letters, digits or underscores',
    email.success ? '' : '--admin-email is not an e-mail address',
    password.success ? '' : 'the password must be 8 to 72 bytes long',
  ].filter(Boolean)
  if (!username.success || !email.success || !password.success) {
    throw new Refusal(problems.join('; '), 'validation_failed')
  }
  return { username: username.data, email: email.data, password: password.data }
}
