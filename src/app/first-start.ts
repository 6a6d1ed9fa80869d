import { countUsers } from '../features/accounts/access.ts'
import type { Account } from '../features/admin/schema.ts'
import { isAdminRole } from '../policy/permissions.ts'
import type { CommandOutput } from './command-types.ts'
import type { App } from './create-app.ts'

const NOTE = 'first start'
/** With more accounts than this, some are assumed not to be administrators'. */
const MAX_ADMINS = 20

/** Creates the first administrator named in the settings if no account exists yet. */
export async function bootstrapAdmin(app: App): Promise<Account | undefined> {
  const { bootstrapAdmin: admin, secrets } = app.ctx.config
  const password = secrets.bootstrapPassword
  if (!admin || !password || (await countUsers(app.ctx.db.read)) > 0) return undefined
  return app.command('user.create-first-admin', { ...admin, password })
}

/** Who has an account: nobody, only administrators, or others too. */
export async function whoIsHere(app: App): Promise<'nobody' | 'admins' | 'people'> {
  const accounts = await countUsers(app.ctx.db.read)
  if (accounts === 0) return 'nobody'
  if (accounts > MAX_ADMINS) return 'people'
  const users = await app.command('user.list', {})
  const people = users.filter((user) => user.role !== 'service')
  return people.every((user) => isAdminRole(user.role)) ? 'admins' : 'people'
}

/** Creates an invitation for the first person and revokes unused ones of earlier starts. */
export async function inviteFirstPerson(app: App): Promise<CommandOutput<'invite.create'>> {
  for (const { id, note, status } of await app.command('invite.list', {})) {
    if (note === NOTE && status === 'Active') await app.command('invite.revoke', { id })
  }
  return app.command('invite.create', { note: NOTE })
}
