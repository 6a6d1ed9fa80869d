import type { Command } from 'commander'
import type { Setting } from '../src/config/setting.ts'
import type { SettingName } from '../src/config/settings.ts'
import { withExamples } from './examples.ts'
import { globalsOf, loadSettings, settingsFileOf } from './globals.ts'
import { print, remark, table } from './output.ts'

export function addConfig(program: Command): void {
  const config = program.command('config').description('the settings')

  const show = config
    .command('show')
    .description('print every setting, its value (secrets hidden) and its source')
    .action(showConfig)
  withExamples(show, 'mimir config show', 'mimir config show --json')

  const check = config
    .command('check')
    .description('check for unknown names and invalid values; fails if there are any')
    .action(checkConfig)
  withExamples(check, 'mimir config check', 'mimir config check --config /etc/mimir/mimir.env')
}

async function showConfig(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const { values, sources } = await loadSettings(globals)
  const { SETTINGS } = await import('../src/config/settings.ts')
  const all = Object.entries(SETTINGS) as [SettingName, Setting][]
  const settings = all.map(([name, { secret = false, about }]) => ({
    name,
    value: secret ? (values[name] ? '(set)' : '(not set)') : (values[name] ?? null),
    secret,
    source: sources[name],
    about,
  }))
  await print(globals, { dataDir: globals.dataDir, file: settingsFileOf(globals), settings }, () =>
    table(
      ['setting', 'value', 'source', 'description'],
      settings.map(({ name, value, source, about }) => [name, value ?? '(not set)', source, about]),
      '',
    ),
  )
}

async function checkConfig(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const file = settingsFileOf(globals)
  try {
    const { config, notes } = await loadSettings(globals)
    const { checkRoleFile } = await import('../src/app/check-role-file.ts')
    await checkRoleFile(config)
    for (const note of notes) remark(globals, `warning: ${note}`)
    const result = { ok: true, file, problems: [], notes }
    await print(globals, result, () => 'All settings are valid.')
  } catch (error) {
    const { ConfigError } = await import('../src/config/load.ts')
    if (error instanceof ConfigError && globals.json) {
      const result = { ok: false, file, problems: error.problems, notes: [] }
      await print(globals, result, () => '')
    }
    throw error
  }
}
