import type { Command } from 'commander'
import { confirm } from './ask.ts'
import { call } from './connection.ts'
import { withExamples } from './examples.ts'
import { Refusal } from './failure.ts'
import { globalsOf } from './globals.ts'
import { collect } from './option-values.ts'
import { print, properties, remark, table, time } from './output.ts'

export function addTenant(program: Command): void {
  const tenant = program
    .command('tenant')
    .description('organisations on this server, each with its own database and keys')

  const create = withPlaces(tenant.command('create'))
    .description('create a tenant; a running server serves it at once')
    .argument('<id>', 'lower-case letters and digits, with hyphens in between')
    .action(createTenant)
  withExamples(create, 'mimir tenant create acme --host chat.acme.org --name "Acme Ltd"')

  const list = tenant.command('list').description('list the tenants').action(listTenants)
  withExamples(list, 'mimir tenant list', 'mimir tenant list --json')

  const show = tenant
    .command('show')
    .description('show a tenant and its storage')
    .argument('<id>')
    .action(showTenant)
  withExamples(show, 'mimir tenant show acme')

  const change = withPlaces(tenant.command('change'))
    .description('change hosts, claims or name; what is omitted stays')
    .argument('<id>')
    .action(changeTenant)
  withExamples(change, 'mimir tenant change acme --host chat.acme.org --host acme.example.org')

  const disable = tenant
    .command('disable')
    .description('stop serving a tenant; its data stays')
    .argument('<id>')
    .option('--yes', 'do not ask')
    .action(disableTenant)
  withExamples(disable, 'mimir tenant disable acme')

  const enable = tenant
    .command('enable')
    .description('serve a tenant again')
    .argument('<id>')
    .action(enableTenant)
  withExamples(enable, 'mimir tenant enable acme')

  const remove = tenant
    .command('delete')
    .description('permanently delete a disabled tenant with its database and keys')
    .argument('<id>')
    .option('--yes', 'do not ask')
    .action(deleteTenant)
  withExamples(remove, 'mimir tenant delete acme')
}

interface Places {
  readonly host?: string[]
  readonly claim?: string[]
  readonly name?: string
}

function withPlaces(command: Command): Command {
  return command
    .option('--host <host>', 'a host it is served at; repeatable', collect)
    .option('--claim <text>', 'its name in a claim or header, if not its id; repeatable', collect)
    .option('--name <text>', 'display name')
}

async function createTenant(id: string, options: Places, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const { host: hosts, claim: claims, name } = options
  const input = { id, hosts, claims, name }
  const made = await call(globals, 'tenant.create', input)
  await print(globals, made, () => `Created the tenant ${id} (${made.reason ?? made.state}).`)
  if (!globals.json) {
    const init = `mimir --tenant ${id} init${globals.wholeServer}`
    remark(globals, `Next: ${init} --admin-username NAME --admin-email ADDRESS`)
  }
}

async function listTenants(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const tenants = await call(globals, 'tenant.list', {})
  await print(globals, tenants, () =>
    table(
      ['id', 'state', 'hosts', 'claims', 'name', 'created', 'reason'],
      tenants.map((one) => [
        ...[one.id, one.state, one.hosts.join(', '), one.claims.join(', '), one.name],
        ...[time(one.createdAt), one.reason],
      ]),
      '',
    ),
  )
}

async function showTenant(id: string, _options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const tenant = await call(globals, 'tenant.show', { id })
  await print(globals, tenant, () =>
    properties([
      ['id', tenant.id],
      ['name', tenant.name],
      ['state', tenant.state],
      ...(tenant.reason === null ? [] : [['reason', tenant.reason] as const]),
      ['hosts', tenant.hosts.join(', ')],
      ['claims', tenant.claims.join(', ')],
      ['created', time(tenant.createdAt)],
      ['disabled', time(tenant.disabledAt)],
      ['directory', tenant.directory],
      ['bytes', tenant.bytes],
      ...(tenant.databaseSchema ? [['schema', tenant.databaseSchema] as const] : []),
    ]),
  )
}

async function changeTenant(id: string, options: Places, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const { host: hosts, claim: claims, name } = options
  if (!hosts && !claims && name === undefined) {
    command.error('error: give at least one of --host, --claim or --name')
  }
  const input = { id, hosts, claims, name }
  const changed = await call(globals, 'tenant.change', input)
  await print(globals, changed, () => `The tenant ${id} is served at ${changed.hosts.join(', ')}.`)
}

async function disableTenant(
  id: string,
  options: { yes?: boolean },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  await confirm(`Stop serving the tenant ${id}?`, options)
  const tenant = await call(globals, 'tenant.disable', { id })
  await print(globals, tenant, () => `The tenant ${id} is disabled; its data stays.`)
}

async function enableTenant(id: string, _options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const tenant = await call(globals, 'tenant.enable', { id })
  await print(globals, tenant, () => `Enabled the tenant ${id} (${tenant.reason ?? tenant.state}).`)
}

async function deleteTenant(
  id: string,
  options: { yes?: boolean },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  const tenant = await call(globals, 'tenant.show', { id })
  if (tenant.state !== 'disabled') {
    throw new Refusal(
      `${id} is not disabled: run \`mimir tenant disable ${id}\` first`,
      'tenant_enabled',
    )
  }
  const what = [
    `${tenant.directory} with ${tenant.bytes} bytes`,
    ...(tenant.databaseSchema ? [`the schema ${tenant.databaseSchema} with all its tables`] : []),
  ].join(' and ')
  await confirm(`Permanently delete the tenant ${id}? This removes ${what}.`, options)
  const gone = await call(globals, 'tenant.delete', { id })
  await print(globals, gone, () => `Deleted the tenant ${id}: removed ${what}.`)
}
