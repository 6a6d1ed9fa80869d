import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { UserRow } from '../../db/tables.ts'
import { AppError } from '../../platform/errors.ts'
import { accountErrors } from './errors.ts'
import { newUser } from './service.ts'
import { findUserByLogin, insertUser } from './store.ts'

/**
 * A service identity: an account without address and password, which keys and the tokens of an identity
 * provider alone open. Its username is made of the name, so that it can be named and be a member like
 * anybody. Made if there is none.
 */
export async function findService(
  ctx: Pick<Ctx, 'clock' | 'ids'>,
  tx: Tx,
  tenantId: string,
  name: string,
): Promise<{ service: UserRow; isNew: boolean }> {
  const username = usernameOf(name)
  const found = await findUserByLogin(tx, tenantId, username)
  if (found) {
    if (found.role !== 'service') throw new AppError(accountErrors.notService)
    return { service: found, isNew: false }
  }
  const account = newUser(ctx, {
    tenantId,
    username,
    email: null,
    phone: null,
    passwordHash: null,
    status: 'Active',
    role: 'service',
  })
  const service = { ...account, display_name: name === username ? null : name }
  await insertUser(tx, service)
  return { service, isNew: true }
}

/**
 * A service identity of its own for each call. What it is called is shown with it and may be anything:
 * the username, which stands beside it, says that it is a bot, and nobody else can have it.
 */
export async function makeBot(
  ctx: Pick<Ctx, 'clock' | 'ids'>,
  tx: Tx,
  tenantId: string,
  name: string,
): Promise<UserRow> {
  const account = newUser(ctx, {
    tenantId,
    username: '',
    email: null,
    phone: null,
    passwordHash: null,
    status: 'Active',
    role: 'service',
  })
  // The end of a version 7 UUID is random.
  const username = `${usernameOf(name).slice(0, 33)}_bot_${account.id.slice(-12)}`
  const bot = { ...account, username, username_key: username.toLowerCase(), display_name: name }
  await insertUser(tx, bot)
  return bot
}

/** What is left of a name in the letters that usernames have: `Bücher-Bot` is `Bucher_Bot`. */
function usernameOf(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9_]+/g, '_')
    .slice(0, 50)
    .padEnd(3, '_')
}
