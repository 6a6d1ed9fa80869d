import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { type Config, deriveConfig } from './config.ts'
import { DEV_USER_REPLACEMENT, EARLIER_DEV_USER } from './earlier-access-names.ts'
import {
  OTHER_NAMES,
  REPLACED_NAMES,
  SETTINGS,
  type Setting,
  type SettingName,
  type SettingValues,
} from './settings.ts'

export type SettingSource =
  | 'flag'
  | 'environment'
  | 'file named by the environment'
  | 'systemd credential'
  | 'mimir.env'
  | 'default'

export interface LoadedConfig {
  readonly config: Config
  readonly values: SettingValues
  readonly sources: Readonly<Record<SettingName, SettingSource>>
  /** Names of earlier systems that were found, each with what replaces it. */
  readonly notes: readonly string[]
}

/** Every mistake in the settings at once, a line each. */
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
  /** From the command line; they win. */
  readonly flags?: Partial<Record<SettingName, string>>
  /** Instead of `DATA/mimir.env`; it must exist. */
  readonly file?: string
}

type Found = { value: string; source: SettingSource }

/** Reads every source, checks everything, and returns one frozen value or throws a `ConfigError`. */
export function loadConfig(input: ConfigInput): LoadedConfig {
  const problems: string[] = []
  const notes: string[] = []
  const fromFile = readSettingsFile(input, problems)
  checkNames(input.env, (name) => name.startsWith('MIMIR_'), problems, notes)
  // The environment is full of other programs' names; the file is ours alone.
  checkNames(fromFile, () => true, problems, notes)

  const values: Record<string, unknown> = {}
  const sources: Record<string, SettingSource> = {}
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const found = findValue(name as SettingName, input, fromFile, problems)
    sources[name] = found?.source ?? 'default'
    const parsed = setting.schema.safeParse(found?.value)
    if (parsed.success) values[name] = parsed.data
    else problems.push(`${name}: ${parsed.error.issues[0]?.message ?? 'not valid'}`)
  }
  if (problems.length > 0) throw new ConfigError(problems)
  const config = deriveConfig(values as SettingValues, input.dataDir, problems)
  if (problems.length > 0 || !config) throw new ConfigError(problems)
  return {
    config,
    values: values as SettingValues,
    sources: sources as Record<SettingName, SettingSource>,
    notes,
  }
}

function readSettingsFile(input: ConfigInput, problems: string[]): Record<string, string> {
  const file = input.file ?? join(input.dataDir, 'mimir.env')
  if (!existsSync(file)) {
    if (input.file) problems.push(`--config ${file}: no such file`)
    return {}
  }
  try {
    return parseEnv(readFileSync(file, 'utf8')) as Record<string, string>
  } catch (error) {
    problems.push(`${file}: ${(error as Error).message}`)
    return {}
  }
}

function findValue(
  name: SettingName,
  input: ConfigInput,
  fromFile: Record<string, string>,
  problems: string[],
): Found | undefined {
  const flag = input.flags?.[name]
  if (flag !== undefined) return { value: flag, source: 'flag' }
  const value = input.env[name]
  // An empty variable is how compose files and unit files spell "not set".
  const setting: Setting = SETTINGS[name]
  if (value || (value === '' && setting.emptyCounts)) return { value, source: 'environment' }
  if (setting.secret) {
    const path = input.env[`${name}_FILE`] || fromFile[`${name}_FILE`]
    if (path) return readSecret(name, path, 'file named by the environment', problems)
    const directory = input.env.CREDENTIALS_DIRECTORY
    const credential = directory && join(directory, name)
    if (credential && existsSync(credential)) {
      return readSecret(name, credential, 'systemd credential', problems)
    }
  }
  const inFile = fromFile[name]
  const isInFile = inFile || (inFile === '' && setting.emptyCounts)
  return isInFile ? { value: inFile, source: 'mimir.env' } : undefined
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
    problems.push(`${name}: its file cannot be read (${(error as Error).message})`)
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
    const replacement =
      REPLACED_NAMES[name] ?? (EARLIER_DEV_USER.test(name) ? DEV_USER_REPLACEMENT : undefined)
    if (replacement) {
      notes.push(`${name} is not used here: ${replacement}`)
      continue
    }
    if (!isOurs(name) || OTHER_NAMES.has(name)) continue
    const base = name.replace(/_FILE$/, '')
    if (name in SETTINGS || base in SETTINGS) continue
    problems.push(`${name}: there is no such setting; the nearest is ${nearestName(name)}`)
  }
}

function nearestName(name: string): string {
  const known = Object.keys(SETTINGS)
  return known.reduce((best, candidate) =>
    editDistance(name, candidate) < editDistance(name, best) ? candidate : best,
  )
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
