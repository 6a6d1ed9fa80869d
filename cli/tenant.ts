import type { Command } from 'commander'
import type {
  changeTenantCommand,
  createTenantCommand,
  deleteTenantCommand,
  disableTenantCommand,
  enableTenantCommand,
  listTenantsCommand,
  showTenantCommand,
} from '../src/features/tenants/commands.ts'
import { confirm } from './ask.ts'
import { order } from './connection.ts'
import { withExamples } from './examples.ts'
import { Refusal } from './failure.ts'
import { globalsOf } from './globals.ts'
import { print, properties, remark, table, time } from './output.ts'

export function addTenant(program: Command): void {
  const tenant = program
    .command('tenant')
    .description('organisations on this server, each with a store and keys of its own')

  const create = withPlaces(tenant.command('create'))
    .description('make a tenant; a running server serves it at once')
    .argument('<id>', 'lower-case letters and digits, with hyphens in between')
    .action(createTenant)
  withExamples(create, 'mimir tenant create acme --host chat.acme.org --name "Acme Ltd"')

  const list = tenant.command('list').description('list the tenants').action(listTenants)
  withExamples(list, 'mimir tenant list', 'mimir tenant list --json')

  const show = tenant
    .command('show')
    .description('one tenant, and what there is of it')
    .argument('<id>')
    .action(showTenant)
  withExamples(show, 'mimir tenant show acme')

  const change = withPlaces(tenant.command('change'))
    .description('give it other hosts, claims or another name; what is left out stays')
    .argument('<id>')
    .action(changeTenant)
  withExamples(change, 'mimir tenant change acme --host chat.acme.org --host acme.example.org')

  const disable = tenant
    .command('disable')
    .description('serve it no more; its data stays')
    .argument('<id>')
    .option('--yes', 'do not ask')
    .action(disableTenant)
  withExamples(disable, 'mimir tenant disable acme')

  const enable = tenant
    .command('enable')
    .description('serve it again')
    .argument('<id>')
    .action(enableTenant)
  withExamples(enable, 'mimir tenant enable acme')

  const remove = tenant
    .command('delete')
    .description('take a disabled tenant away for good, with its store and keys')
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
  const collect = (value: string, values: string[] = []) => [...values, value]
  return command
    .option('--host <host>', 'a host that it answers at; several times for several', collect)
    .option('--claim <text>', 'what a claim or a header calls it, if not by its id', collect)
    .option('--name <text>', 'for people')
}

async function createTenant(id: string, options: Places, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const { host: hosts, claim: claims, name } = options
  const input = { id, hosts, claims, name }
  const made = await order<typeof createTenantCommand>(globals, 'tenant.create', input)
  await print(globals, made, () => `The tenant ${id} is there (${made.reason ?? made.state}).`)
  if (!globals.json) {
    const init = `mimir --tenant ${id} init${globals.wholeServer}`
    remark(globals, `Next: ${init} --admin-username NAME --admin-email ADDRESS`)
  }
}

async function listTenants(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const tenants = await order<typeof listTenantsCommand>(globals, 'tenant.list', {})
  await print(globals, tenants, () =>
    table(
      ['id', 'state', 'hosts', 'claims', 'name', 'made', 'why'],
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
  const tenant = await order<typeof showTenantCommand>(globals, 'tenant.show', { id })
  await print(globals, tenant, () =>
    properties([
      ['id', tenant.id],
      ['name', tenant.name],
      ['state', tenant.state],
      ...(tenant.reason === null ? [] : [['why', tenant.reason] as const]),
      ['hosts', tenant.hosts.join(', ')],
      ['claims', tenant.claims.join(', ')],
      ['made', time(tenant.createdAt)],
      ['disabled', time(tenant.disabledAt)],
      ['directory', tenant.directory],
      ['bytes there', tenant.bytes],
      ...(tenant.databaseSchema ? [['schema', tenant.databaseSchema] as const] : []),
    ]),
  )
}

async function changeTenant(id: string, options: Places, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const { host: hosts, claim: claims, name } = options
  if (!hosts && !claims && name === undefined) {
    command.error('error: name what changes: --host, --claim or --name')
  }
  const input = { id, hosts, claims, name }
  const changed = await order<typeof changeTenantCommand>(globals, 'tenant.change', input)
  await print(globals, changed, () => `The tenant ${id} answers at ${changed.hosts.join(', ')}.`)
}

async function disableTenant(
  id: string,
  options: { yes?: boolean },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  await confirm(`Serve the tenant ${id} no more?`, options)
  const tenant = await order<typeof disableTenantCommand>(globals, 'tenant.disable', { id })
  await print(globals, tenant, () => `The tenant ${id} is not served; its data stays.`)
}

async function enableTenant(id: string, _options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const tenant = await order<typeof enableTenantCommand>(globals, 'tenant.enable', { id })
  await print(globals, tenant, () => `The tenant ${id} is ${tenant.reason ?? tenant.state}.`)
}

async function deleteTenant(
  id: string,
  options: { yes?: boolean },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  const tenant = await order<typeof showTenantCommand>(globals, 'tenant.show', { id })
  if (tenant.state !== 'disabled') {
    throw new Refusal(
      `${id} is not disabled: \`mimir tenant disable ${id}\` first`,
      'tenant_enabled',
    )
  }
  const what = [
    `${tenant.directory} with ${tenant.bytes} bytes`,
    ...(tenant.databaseSchema ? [`the schema ${tenant.databaseSchema} with all its tables`] : []),
  ].join(' and ')
  await confirm(`Delete the tenant ${id} for good? It removes ${what}.`, options)
  const gone = await order<typeof deleteTenantCommand>(globals, 'tenant.delete', { id })
  await print(globals, gone, () => `The tenant ${id} is gone: removed ${what}.`)
}
