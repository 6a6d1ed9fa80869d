import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { reasonOf } from '../platform/errors.ts'
import { DEFAULT_TENANT } from '../policy/tenant-id.ts'
import { type Config, deriveConfig } from './config.ts'
import { EARLIER_FAMILIES } from './earlier-families.ts'
import type { Setting } from './setting.ts'
import {
  OTHER_NAMES,
  REPLACED_NAMES,
  SETTINGS,
  type SettingName,
  type SettingValues,
} from './settings.ts'
import { readSettingsFile } from './settings-file.ts'
import { tenantDirectory } from './tenancy.ts'
import { findForeignSettings, inheritedValue, isInherited } from './tenant-settings.ts'

const OWN_FILE = 'mimir.env of the tenant'

export type SettingSource =
  | 'flag'
  | 'environment'
  | 'file named by the environment'
  | 'systemd credential'
  | 'mimir.env'
  | typeof OWN_FILE
  | 'default'

export interface LoadedConfig {
  readonly config: Config
  readonly values: SettingValues
  readonly sources: Readonly<Record<SettingName, SettingSource>>
  /** Names of earlier systems that were found, each with what replaces it. */
  readonly notes: readonly string[]
}

/** All errors in the settings, one line each. */
export class ConfigError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

export interface ConfigInput {
  readonly dataDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** From the command line; these take precedence. */
  readonly flags?: Partial<Record<SettingName, string>>
  /** Instead of `DATA/mimir.env`; it must exist. */
  readonly file?: string
  /** The tenant, if not the default one; `dataDir` is still the whole server's. */
  readonly tenantId?: string
}

type Found = { value: string; source: SettingSource }

/** Contents of the two settings files; `tenant` is empty for the default tenant. */
interface Files {
  readonly server: Readonly<Record<string, string>>
  readonly tenant: Readonly<Record<string, string>>
}

/** Reads every source, checks everything, and returns one frozen value or throws a `ConfigError`. */
export function loadConfig(input: ConfigInput): LoadedConfig {
  const problems: string[] = []
  const notes: string[] = []
  const files: Files = {
    server: readServerFile(input, problems),
    tenant: readTenantFile(input, problems),
  }
  checkNames(input.env, (name) => name.startsWith('MIMIR_'), problems, notes)
  // The environment contains other programs' names, which our own files must not.
  checkNames({ ...files.server, ...files.tenant }, () => true, problems, notes)

  const values: Record<string, unknown> = {}
  const sources: Record<string, SettingSource> = {}
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const found = findValue(name as SettingName, input, files, problems)
    sources[name] = found?.source ?? 'default'
    const parsed = setting.schema.safeParse(found?.value)
    if (parsed.success) values[name] = parsed.data
    else problems.push(`${name}: ${parsed.error.issues[0]?.message ?? 'not valid'}`)
  }
  if (problems.length > 0) throw new ConfigError(problems)
  const tenantId = input.tenantId ?? DEFAULT_TENANT
  const place = {
    rootDir: input.dataDir,
    tenantId,
    hasOwnProviders: sources.MIMIR_OIDC_PROVIDERS === OWN_FILE,
  }
  const config = deriveConfig(values as SettingValues, place, problems)
  if (problems.length > 0 || !config) throw new ConfigError(problems)
  return {
    config,
    values: values as SettingValues,
    sources: sources as Record<SettingName, SettingSource>,
    notes,
  }
}

function readServerFile(input: ConfigInput, problems: string[]): Files['server'] {
  if (input.file && !existsSync(input.file)) {
    problems.push(`--config ${input.file}: no such file`)
    return {}
  }
  return readSettingsFile(input.file ?? join(input.dataDir, 'mimir.env'), problems)
}

function readTenantFile({ dataDir, tenantId }: ConfigInput, problems: string[]): Files['tenant'] {
  if (tenantId === undefined || tenantId === DEFAULT_TENANT) return {}
  const file = join(tenantDirectory(dataDir, tenantId), 'mimir.env')
  const settings = readSettingsFile(file, problems)
  problems.push(...findForeignSettings(Object.keys(settings)))
  return settings
}

/**
 * Flags win. Then a tenant's own file wins over the server's settings, of which it inherits only those
 * not meant for a single tenant.
 */
function findValue(
  name: SettingName,
  input: ConfigInput,
  files: Files,
  problems: string[],
): Found | undefined {
  const { tenantId = DEFAULT_TENANT } = input
  const flag = input.flags?.[name]
  if (flag !== undefined) return { value: flag, source: 'flag' }
  if (tenantId === DEFAULT_TENANT) return findServerValue(name, input, files.server, problems)
  const own = findInFile(name, files.tenant, OWN_FILE, problems)
  if (own || !isInherited(name)) return own
  const found = findServerValue(name, input, files.server, problems)
  return found && { ...found, value: inheritedValue(name, found.value, tenantId) }
}

function findServerValue(
  name: SettingName,
  input: ConfigInput,
  file: Files['server'],
  problems: string[],
): Found | undefined {
  const value = input.env[name]
  // An empty variable is how compose files and unit files spell "not set".
  const setting: Setting = SETTINGS[name]
  if (value || (value === '' && setting.emptyCounts)) return { value, source: 'environment' }
  if (setting.secret) {
    const path = input.env[`${name}_FILE`] || file[`${name}_FILE`]
    if (path) return readSecret(name, path, 'file named by the environment', problems)
    const directory = input.env.CREDENTIALS_DIRECTORY
    const credential = directory && join(directory, name)
    if (credential && existsSync(credential)) {
      return readSecret(name, credential, 'systemd credential', problems)
    }
  }
  return findInFile(name, file, 'mimir.env', problems)
}

function findInFile(
  name: SettingName,
  file: Readonly<Record<string, string>>,
  source: SettingSource,
  problems: string[],
): Found | undefined {
  const setting: Setting = SETTINGS[name]
  const path = setting.secret && file[`${name}_FILE`]
  if (path) return readSecret(name, path, source, problems)
  const value = file[name]
  return value || (value === '' && setting.emptyCounts) ? { value, source } : undefined
}

function readSecret(
  name: string,
  path: string,
  source: SettingSource,
  problems: string[],
): Found | undefined {
  try {
    return { value: readFileSync(path, 'utf8').trim(), source }
  } catch (error) {
    problems.push(`${name}: its file cannot be read (${reasonOf(error)})`)
    return undefined
  }
}

function checkNames(
  env: Readonly<Record<string, string | undefined>>,
  isOurs: (name: string) => boolean,
  problems: string[],
  notes: string[],
): void {
  for (const name of Object.keys(env)) {
    if (name in SETTINGS || name.replace(/_FILE$/, '') in SETTINGS || OTHER_NAMES.has(name))
      continue
    const replacement =
      REPLACED_NAMES[name] ?? EARLIER_FAMILIES.find(([family]) => family.test(name))?.[1]
    if (replacement) {
      notes.push(`${name} is not used here: ${replacement}`)
      continue
    }
    if (!isOurs(name)) continue
    const nearest = nearestName(name)
    const hint = nearest ? `did you mean ${nearest}?` : '`mimir config show` lists them'
    problems.push(`${name}: no such setting; ${hint}`)
  }
}

/** The known name that was probably meant, if one is similar. */
function nearestName(name: string): string | undefined {
  const distances = Object.keys(SETTINGS).map((known) => ({
    known,
    distance: editDistance(name, known),
  }))
  const best = distances.reduce((a, b) => (b.distance < a.distance ? b : a))
  // Measured without the prefix: otherwise any short name would be near to some other.
  const most = Math.ceil(name.replace(/^MIMIR_/, '').length / 4)
  return best.distance <= most ? best.known : undefined
}

/** Levenshtein's distance with one row kept. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next[j] = Math.min(swap, (row[j] as number) + 1, (next[j - 1] as number) + 1)
    }
    row = next
  }
  return row[b.length] as number
}
