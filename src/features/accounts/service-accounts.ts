import type { Ctx } from '../../context.ts'
import type { Db, Tx } from '../../db/database.ts'
import type { UserRow } from '../../db/tables.ts'
import { AppError } from '../../platform/errors.ts'
import { accountErrors } from './errors.ts'
import { newUser } from './service.ts'
import { findAccountById, findUserByLogin, insertUser, insertUserIfFree } from './store.ts'
import { findServerAccountId, insertServerAccount } from './store-server-account.ts'

/**
 * Finds or creates a service identity: an account without address and password, open only to keys
 * and to tokens of an identity provider. Its username is derived from the name, so that it can be
 * named and be a member like anybody.
 */
export async function findService(
  ctx: Pick<Ctx, 'clock' | 'ids'>,
  tx: Tx,
  tenantId: string,
  name: string,
): Promise<{ service: UserRow; isNew: boolean }> {
  const username = usernameOf(name)
  const account = newService(ctx, tenantId, username)
  const service = { ...account, display_name: name === username ? null : name }
  if (await insertUserIfFree(tx, service)) return { service, isNew: true }
  const found = await findUserByLogin(tx, tenantId, username)
  // Acting as the server itself would allow a client to ask for anything in its name.
  const isServer = found?.id === (await findServerAccountId(tx, tenantId))
  if (found?.role !== 'service' || isServer) throw new AppError(accountErrors.notService)
  return { service: found, isNew: false }
}

/**
 * Creates a new service identity with each call. Its display name may be anything: the username shown
 * beside it says that it is a bot, and nobody else can have it.
 */
export async function makeBot(
  ctx: Pick<Ctx, 'clock' | 'ids'>,
  tx: Tx,
  tenantId: string,
  name: string,
): Promise<UserRow> {
  const account = newService(ctx, tenantId, '')
  // The end of a version 7 UUID is random.
  const username = `${usernameOf(name).slice(0, 33)}_bot_${account.id.slice(-12)}`
  const bot = { ...account, username, username_key: username.toLowerCase(), display_name: name }
  await insertUser(tx, bot)
  return bot
}

const SERVER_NAME = 'Mimir'

/** The account as which the server itself writes to people, if it exists yet. */
export async function findServerAccount(db: Db, tenantId: string): Promise<UserRow | undefined> {
  const id = await findServerAccountId(db, tenantId)
  return id === undefined ? undefined : findAccountById(db, tenantId, id)
}

/**
 * The same, created if missing. No key and no token opens it. It is not looked up by username, which
 * somebody else may already have had.
 */
export async function openServerAccount(
  ctx: Pick<Ctx, 'clock' | 'ids'>,
  tx: Tx,
  tenantId: string,
): Promise<UserRow> {
  const known = await findServerAccount(tx, tenantId)
  if (known) return known
  const made = newService(ctx, tenantId, SERVER_NAME.toLowerCase())
  const isTaken = await findUserByLogin(tx, tenantId, made.username)
  const username = isTaken ? `${made.username}_${made.id.slice(-12)}` : made.username
  const account = { ...made, username, username_key: username, display_name: SERVER_NAME }
  await insertUser(tx, account)
  await insertServerAccount(tx, { tenant_id: tenantId, user_id: account.id })
  return account
}

function newService(ctx: Pick<Ctx, 'clock' | 'ids'>, tenantId: string, username: string): UserRow {
  return newUser(ctx, {
    tenantId,
    username,
    email: null,
    phone: null,
    passwordHash: null,
    status: 'Active',
    role: 'service',
  })
}

/** Reduces a name to the characters allowed in usernames: `Bücher-Bot` becomes `Bucher_Bot`. */
function usernameOf(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9_]+/g, '_')
    .slice(0, 50)
    .padEnd(3, '_')
}
