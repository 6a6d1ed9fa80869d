import type { Command } from 'commander'
import { canAsk, readSecret } from './ask.ts'
import { Connection } from './connection.ts'
import { withExamples } from './examples.ts'
import { Refusal } from './failure.ts'
import { type Admin, askAdmin, checkAdmin } from './first-admin.ts'
import {
  type Globals,
  globalsOf,
  holdsServer,
  loadSettings,
  requireOwner,
  settingsFileOf,
} from './globals.ts'
import { print, remark } from './output.ts'
import { makePrivateDirectory, writeSetting } from './settings-file.ts'

interface InitOptions {
  readonly adminUsername?: string
  readonly adminEmail?: string
  readonly adminPasswordStdin?: boolean
  readonly publicUrl?: string
}

export function addInit(program: Command): void {
  const command = program
    .command('init')
    .description(
      'create the data directory, keys, database and first administrator; safe to repeat',
    )
    .option('--admin-username <name>', 'first administrator: username')
    .option('--admin-email <address>', 'first administrator: e-mail')
    .option('--admin-password-stdin', 'read their password from standard input')
    .option('--public-url <url>', 'the address people use; saved in DATA/mimir.env')
    .action(init)
  withExamples(
    command,
    'mimir init --public-url https://chat.example.org',
    'mimir init --admin-username ada --admin-email ada@example.org --admin-password-stdin < secret',
  )
}

async function init(options: InitOptions, command: Command): Promise<void> {
  const globals = globalsOf(command)
  requireOwner(globals)
  const given = await givenAdmin(options, command)
  const { publicUrl } = options
  const flags = publicUrl === undefined ? {} : { MIMIR_PUBLIC_URL: publicUrl }
  const { config, sources } = await loadSettings(globals, flags)

  const created = !holdsServer(globals.dataDir)
  const { bootstrapAdmin, secrets } = config
  const password = secrets.bootstrapPassword
  const named = given ?? (bootstrapAdmin && password ? { ...bootstrapAdmin, password } : undefined)
  // Asked before anything is created, so that Ctrl-C leaves nothing behind. A database may have an administrator.
  const isNew = created && secrets.databaseUrl === undefined
  const asked = isNew && !named && canAsk() ? await askAdmin() : undefined
  if (created) makePrivateDirectory(globals.dataDir)
  // Off by default, since clients of earlier servers do not know this refusal; a new server has no such clients.
  const isUnset = sources.MIMIR_REFUSE_COMMON_PASSWORDS === 'default'
  if (created && isUnset && globals.configFile === undefined) {
    writeSetting(settingsFileOf(globals), 'MIMIR_REFUSE_COMMON_PASSWORDS', 'true')
  }
  const connection = new Connection(globals, { mayCreate: true })
  try {
    const admins = await findAdmins(connection)
    const [admin] = admins
    if (admin && given) requireSameAdmin(admins, given)
    const wanted = admin ? undefined : (named ?? asked ?? (canAsk() ? await askAdmin() : undefined))
    const made = wanted && (await makeAdmin(connection, wanted))
    if (publicUrl !== undefined) {
      writeSetting(settingsFileOf(globals), 'MIMIR_PUBLIC_URL', publicUrl)
    }
    await tell(globals, {
      publicUrl: config.publicUrl,
      created,
      account: admin ?? made,
      isRunning: connection.reachedServer,
      needsRestart: connection.reachedServer && publicUrl !== undefined,
    })
  } finally {
    await connection.close()
  }
}

interface KnownAdmin {
  readonly id: string
  readonly username: string
  readonly email: string
}

/** The administrators of the server, owners first. */
async function findAdmins(connection: Connection): Promise<readonly KnownAdmin[]> {
  const users = await connection.call('user.list', {})
  const withRole = (name: string) => users.filter(({ role }) => role === name)
  return [...withRole('owner'), ...withRole('admin')]
}

/** Only the first administrator is created here, but the same call may be repeated. */
function requireSameAdmin(admins: readonly KnownAdmin[], { username }: Admin): void {
  const name = username.toLowerCase()
  if (admins.some((admin) => admin.username.toLowerCase() === name)) return
  const hint = `invite ${username}, approve them, then \`mimir user promote ${username}\``
  throw new Refusal(`${admins[0]?.username} is already the administrator: ${hint}`, 'admin_exists')
}

function makeAdmin(connection: Connection, admin: Admin): Promise<KnownAdmin> {
  return connection.call('user.create-first-admin', admin)
}

/** The administrator named on the command line, checked before anything is created. */
async function givenAdmin(options: InitOptions, command: Command): Promise<Admin | undefined> {
  const { adminUsername: username, adminEmail: email, adminPasswordStdin: fromStdin } = options
  if (username === undefined && email === undefined && !fromStdin) return undefined
  if (username === undefined || email === undefined) {
    return command.error('error: --admin-username and --admin-email must be given together')
  }
  if (fromStdin) return checkAdmin({ username, email, password: await readSecret() })
  if (canAsk()) return askAdmin({ username, email })
  const hint = 'add --admin-password-stdin'
  throw new Refusal(`cannot ask for the password without a terminal: ${hint}`, 'no_terminal')
}

interface Outcome {
  readonly publicUrl: string
  readonly created: boolean
  readonly account: KnownAdmin | undefined
  readonly isRunning: boolean
  /** Whether the running server has yet to read a new setting. */
  readonly needsRestart: boolean
}

async function tell(
  globals: Globals,
  { publicUrl, created, account, isRunning, needsRestart }: Outcome,
): Promise<void> {
  const { dataDir, sameServer, wholeServer } = globals
  const next = account
    ? `mimir serve${wholeServer}`
    : `mimir init${sameServer} --admin-username NAME --admin-email ADDRESS`
  const admin = account
    ? { id: account.id, username: account.username, email: account.email }
    : null
  await print(globals, { dataDir, publicUrl, admin, created, next }, () => {
    const lines = [
      created ? `Created a server in ${dataDir}.` : `The server in ${dataDir} already exists.`,
    ]
    if (admin) lines.push(`Administrator: ${admin.username} <${admin.email}>`)
    return lines.join('\n')
  })
  if (globals.json) return
  if (created && !admin) remark(globals, 'There is no administrator yet.')
  if (!admin || !isRunning) remark(globals, `Next: ${next}`)
  if (needsRestart) remark(globals, 'Restart the server: it still uses its earlier address.')
}
