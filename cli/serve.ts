import { statSync } from 'node:fs'
import type { Command } from 'commander'
import type { App } from '../src/app/create-app.ts'
import { isLoopback } from '../src/config/loopback.ts'
import type { SettingName } from '../src/config/settings.ts'
import { reasonOf } from '../src/platform/errors.ts'
import { withExamples } from './examples.ts'
import { Refusal } from './failure.ts'
import { type Globals, globalsOf, loadSettings, requireOwner, settingsFileOf } from './globals.ts'
import { write } from './output.ts'
import { serverLog } from './server-log.ts'

const SECURITY_IS_OFF =
  'SECURITY IS OFF (MIMIR_ENABLE_SECURITY=false): anyone who can reach this server is an administrator'

const PROXY_IS_NOT_TRUSTED =
  'MIMIR_TRUSTED_PROXIES is not set: everyone seems to have the address of your proxy, so one person can use up everyone’s rate limits; for a proxy on this machine set MIMIR_TRUSTED_PROXIES=127.0.0.1,::1'

interface ServeOptions {
  readonly listen?: string
  readonly invitation?: boolean
}

export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .description('run the server; first creates and migrates what it needs')
    .option('--listen <host:port>', 'where to listen (MIMIR_LISTEN); port 0 picks a free one')
    .option('--invitation', 'print an invitation link even if people have already joined')
    .action(serve)
  withExamples(command, 'mimir serve', 'mimir serve --data-dir /srv/mimir --listen 0.0.0.0:8080')
}

async function serve(options: ServeOptions, command: Command): Promise<void> {
  const globals = globalsOf(command)
  if (globals.tenantId !== undefined) {
    throw new Refusal(
      '`mimir serve` serves all tenants: omit --tenant and MIMIR_TENANT',
      'tenant_named',
    )
  }
  requireOwner(globals)
  const { config, notes, sources } = await loadSettings(globals, flagsOf(options))
  const log = await serverLog(globals, config)
  const { closeAndExit, exitOnDefect, onReloadRequested, stopRequested } = await import(
    '../src/app/lifecycle.ts'
  )
  const { createServer } = await import('../src/app/create-server.ts')
  const stop = stopRequested()
  const settingsOf = async (tenantId: string) =>
    (await loadSettings({ ...globals, tenantId }, flagsOf(options))).config
  const app = await createServer({ config, log, purpose: 'serve', settingsOf })
  const close = () => app.close()
  exitOnDefect(log, close)
  try {
    remarkOn(app, notes)
    for (const file of openFiles(app, globals)) {
      log.warn(`${file} can be read by others: chmod 600 ${file}`)
    }
    // Whoever may write there can replace the keys and the store.
    if (modeOf(globals.dataDir) & 0o022) {
      log.warn(`${globals.dataDir} can be changed by others: chmod 700 ${globals.dataDir}`)
    }
    if (sources.MIMIR_TRUSTED_PROXIES === 'default') remarkOnProxy(app)
    await start(app, globals, options, sources.MIMIR_PUBLIC_URL === 'default')
    onReloadRequested(() => reload(app, globals, options))
  } catch (error) {
    await close()
    throw error
  }
  const signal = await stop
  log.info({ signal }, 'stopping')
  await closeAndExit(log, close, 0)
}

/** Reloads the settings from `mimir.env` and the files that they name. */
async function reload(app: App, globals: Globals, options: ServeOptions): Promise<void> {
  const { log } = app.ctx
  try {
    const { config } = await loadSettings(globals, flagsOf(options))
    await app.reload(config)
  } catch (error) {
    log.error({ reason: reasonOf(error) }, 'SIGHUP changed nothing')
  }
}

async function start(
  app: App,
  globals: Globals,
  { invitation = false }: ServeOptions,
  isLocal: boolean,
): Promise<void> {
  const { bootstrapAdmin, inviteFirstPerson, whoIsHere } = await import('../src/app/first-start.ts')
  const { config, log } = app.ctx
  await bootstrapAdmin(app)
  const { host, port } = await app.listen()
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  // Scripts wait for this text; see `cli/serve` in the fixed lines of the specification.
  const message = `listening on ${url}`
  const who = await whoIsHere(app)
  const first = invitation || who !== 'people' ? await inviteFirstPerson(app) : undefined
  write(
    globals.json
      ? `${JSON.stringify({ message, url, publicUrl: config.publicUrl, invitation: first ?? null })}\n`
      : `${message}\n`,
  )
  if (who === 'nobody') {
    const make = `mimir init${globals.sameServer} --admin-username NAME --admin-email ADDRESS`
    log.warn(`there is no administrator yet: ${make}`)
  }
  if (first && isLocal) {
    log.warn(
      'the invitation link works only on this machine: for others to join, set MIMIR_PUBLIC_URL and, without a proxy, --listen 0.0.0.0:8080',
    )
  }
  if (!first || globals.json) return
  const day = first.expiresAt.slice(0, 10)
  const approve = `mimir user approve NAME${globals.sameServer}`
  write(
    `Invitation for one person, valid until the server restarts, ${day} at the latest:\n${first.url}\n` +
      `New accounts wait for your approval: ${approve}\n`,
  )
}

function remarkOn({ ctx: { config, log }, migrated }: App, notes: readonly string[]): void {
  for (const note of notes) log.warn(note)
  if (!config.access.securityEnabled) log.warn(SECURITY_IS_OFF)
  if (migrated.length > 0) log.info({ migrations: migrated }, 'the database was migrated')
  if (!config.smtp) log.info('SMTP_HOST is not set: e-mail addresses are accepted unverified')
}

/** Files with secrets whose mode lets others access them. */
function openFiles({ ctx: { config } }: App, globals: Globals): string[] {
  // A file named by the administrator may be readable by a group, as in /etc/mimir.
  const settings = [
    settingsFileOf(globals),
    globals.configFile === undefined ? 0o077 : 0o007,
  ] as const
  const store = [config.paths.database, 0o077] as const
  return [settings, store]
    .filter(([file, mask]) => (modeOf(file) & mask) !== 0)
    .map(([file]) => file)
}

/** Its permissions; 0 if there is no such file. */
function modeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mode ?? 0
}

/** A server with a public https URL that listens only on loopback must be behind a proxy. */
function remarkOnProxy({ ctx: { config, log } }: App): void {
  const isBehindProxy = config.publicUrl.startsWith('https:') && isLoopback(config.listen.host)
  if (isBehindProxy) log.warn(PROXY_IS_NOT_TRUSTED)
}

/** The option overrides both settings that can name the port. */
function flagsOf({ listen }: ServeOptions): Partial<Record<SettingName, string>> {
  if (!listen) return {}
  // An invalid port is reported as a problem of the address.
  const port = Number(/:(\d{1,5})$/.exec(listen)?.[1])
  return { MIMIR_LISTEN: listen, ...(port <= 65_535 ? { SERVER_PORT: String(port) } : {}) }
}
