import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { LoadedConfig } from '../src/config/load.ts'
import type { SettingName } from '../src/config/settings.ts'
import { findTenantDirectory } from '../src/config/tenancy.ts'
import type { Logger, LogLevel } from '../src/platform/log.ts'
import { Refusal } from './failure.ts'
import { shellQuote } from './shell-quote.ts'

const SYSTEM_DATA_DIR = '/var/lib/mimir'
const LOCAL_DATA_DIR = 'mimir-data'
/** What a shell takes as one word without quotes. */
const PLAIN_WORD = /^[\w./:@%+=-]+$/

/** The options that every command has. */
export interface Globals {
  /** Absolute path of the selected tenant's directory. */
  readonly dataDir: string
  /** The directory of the whole server, which is the default tenant's. */
  readonly rootDir: string
  /** Undefined for the default tenant. */
  readonly tenantId: string | undefined
  readonly configFile: string | undefined
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  /** The command's own name, like `user approve`. */
  readonly purpose: string
  /** This command's options, for repeating them in a suggested command. */
  readonly sameServer: string
  /** The same for suggested commands that concern the whole server. */
  readonly wholeServer: string
}

export function globalsOf(command: Command): Globals {
  const options = command.optsWithGlobals()
  const given: string | undefined = options.dataDir
  const rootDir = resolve(given ?? (process.env.MIMIR_DATA_DIR || defaultDataDir()))
  const named: string | undefined = options.tenant
  const tenantId = named ?? (process.env.MIMIR_TENANT || undefined)
  const wholeServer =
    given === undefined ? '' : ` --data-dir ${PLAIN_WORD.test(given) ? given : shellQuote(given)}`
  return {
    dataDir: directoryOf(rootDir, tenantId),
    rootDir,
    tenantId,
    configFile: options.config,
    json: options.json === true,
    quiet: options.quiet === true,
    verbose: options.verbose === true,
    purpose: pathOf(command).slice(1).join(' '),
    sameServer: wholeServer + (named === undefined ? '' : ` --tenant ${named}`),
    wholeServer,
  }
}

/** Whether a server was set up in the directory: its database may be elsewhere, but its keys are not. */
export function holdsServer(dataDir: string): boolean {
  return existsSync(join(dataDir, 'mimir.db')) || existsSync(join(dataDir, 'keys'))
}

/**
 * Throws if root would write into another user's data directory: files owned by root would keep that user's
 * server from starting. Not needed for commands to a running server, which write nothing here.
 */
export function requireOwner({ rootDir }: Pick<Globals, 'rootDir'>): void {
  if (process.getuid?.() !== 0 || !existsSync(rootDir)) return
  const { uid } = statSync(rootDir)
  if (uid === 0) return
  const owner = userName(uid)
  const again = `sudo -u ${owner ?? `'#${uid}'`} mimir …`
  throw new Refusal(
    `${rootDir} belongs to ${owner ?? `user ${uid}`}, who could not read files created by root: run \`${again}\``,
    'not_the_owner',
  )
}

function userName(uid: number): string | undefined {
  try {
    const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
    return lines.find((line) => line.split(':')[2] === String(uid))?.split(':')[0]
  } catch {
    return undefined
  }
}

/** Loads the settings as a server started with these options would. Throws a `ConfigError`. */
export async function loadSettings(
  { rootDir, tenantId, configFile }: Globals,
  flags: Partial<Record<SettingName, string>> = {},
): Promise<LoadedConfig> {
  const { loadConfig } = await import('../src/config/load.ts')
  const file = configFile === undefined ? {} : { file: configFile }
  const tenant = tenantId === undefined ? {} : { tenantId }
  return loadConfig({ dataDir: rootDir, env: process.env, flags, ...file, ...tenant })
}

/** The log of a command that works without a server: by default it reports only problems. */
export async function commandLog({ quiet, verbose }: Globals): Promise<Logger> {
  const { createLog } = await import('../src/platform/log.ts')
  const level: LogLevel = verbose ? 'debug' : quiet ? 'error' : 'warn'
  return createLog({ level })
}

function directoryOf(rootDir: string, tenantId: string | undefined): string {
  if (tenantId === undefined) return rootDir
  const directory = findTenantDirectory(rootDir, tenantId)
  if (directory !== undefined) return directory
  const hint = 'see `mimir tenant list`'
  throw new Refusal(`there is no tenant ${tenantId} in ${rootDir}: ${hint}`, 'tenant_not_found')
}

/** The settings file of this server, or of the selected tenant. */
export function settingsFileOf({ configFile, rootDir, dataDir }: Globals): string {
  return dataDir === rootDir && configFile ? configFile : join(dataDir, 'mimir.env')
}

function defaultDataDir(): string {
  try {
    return holdsServer(SYSTEM_DATA_DIR) ? SYSTEM_DATA_DIR : LOCAL_DATA_DIR
  } catch {
    return LOCAL_DATA_DIR
  }
}

function pathOf(command: Command): string[] {
  return [...(command.parent ? pathOf(command.parent) : []), command.name()]
}
