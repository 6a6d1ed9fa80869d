import { type Command, Option } from 'commander'
import { confirm } from './ask.ts'
import { call } from './connection.ts'
import { withExamples } from './examples.ts'
import { globalsOf } from './globals.ts'
import { AI_CLIENTS, type AiClient, mcpSnippet } from './mcp-snippet.ts'
import { collect, parseDays, parseSeconds } from './option-values.ts'
import { print, remark, table, time } from './output.ts'

const SHOWN_ONCE = 'The key is shown only once: save it now.'

export function addApiKey(program: Command): void {
  const apikey = program.command('apikey').description('API keys for services and bots')

  const create = apikey
    .command('create')
    .description('create a key for a service, and the service if it does not exist')
    .requiredOption('--name <name>', 'name of the service, or of the key with --user')
    .option('--user <user>', 'act for this user instead of a service')
    .option(
      '--scope <permission>',
      'a permission, like messages:read or calls:*; repeatable (all of its owner’s but administration)',
      collect,
    )
    .option('--expires <duration>', 'lifetime in days or weeks, or never (90d)', parseExpiry)
    .option(
      '--address <network>',
      'allow only this network, like 10.0.0.0/8; repeatable (any)',
      collect,
    )
    .addOption(
      new Option(
        '--snippet <client>',
        'print the configuration for this AI client (scopes mcp:read and mcp:write)',
      ).choices(AI_CLIENTS),
    )
    .action(createKey)
  withExamples(
    create,
    'mimir apikey create --name backup-bot --scope messages:read --scope conversations:read',
    'mimir apikey create --name ci --expires 30d --address 192.0.2.7 --json',
    'mimir apikey create --name cursor --user ada --snippet cursor',
  )

  const list = apikey.command('list').description('list the keys').action(listKeys)
  withExamples(list, 'mimir apikey list', 'mimir apikey list --json')

  const rotate = apikey
    .command('rotate')
    .description('rotate a key; the old one keeps working for a while')
    .argument('<id>', 'as shown by `mimir apikey list`: the letters after mimir_')
    .option(
      '--overlap <duration>',
      'how long the old one keeps working (24h); 0 revokes it now',
      parseOverlap,
    )
    .action(rotateKey)
  withExamples(rotate, 'mimir apikey rotate k3v9x0aq', 'mimir apikey rotate k3v9x0aq --overlap 7d')

  const revoke = apikey
    .command('revoke')
    .description('revoke a key and close its connections')
    .argument('<id>', 'as shown by `mimir apikey list`')
    .option('--yes', 'do not ask')
    .action(revokeKey)
  withExamples(revoke, 'mimir apikey revoke k3v9x0aq')
}

interface CreateOptions {
  readonly name: string
  readonly user?: string
  readonly scope?: string[]
  /** Days. */
  readonly expires?: number | typeof NEVER
  readonly address?: string[]
  readonly snippet?: AiClient
}

async function createKey(options: CreateOptions, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const made = await call(globals, 'apikey.create', {
    name: options.name,
    user: options.user,
    // By default an AI client gets only its memory, and no scope that nobody asked for.
    scopes: options.scope ?? (options.snippet && ['mcp:read', 'mcp:write']),
    expiresInDays: options.expires === NEVER ? null : options.expires,
    addresses: options.address,
  })
  const snippet = options.snippet && mcpSnippet(options.snippet, made.mcpUrl, made.key)
  await print(globals, snippet ? { ...made, snippet } : made, () =>
    snippet ? JSON.stringify(snippet.content, null, 2) : made.key,
  )
  if (globals.json) return
  if (snippet) remark(globals, `Put this in ${snippet.file}, and keep that file private.`)
  const end = made.expiresAt === null ? 'never expires' : `expires ${time(made.expiresAt)}`
  remark(globals, `${SHOWN_ONCE} It acts as ${made.owner.username} and ${end}.`)
}

async function listKeys(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const keys = await call(globals, 'apikey.list', {})
  await print(globals, keys, () =>
    table(
      ['id', 'status', 'name', 'acts as', 'scopes', 'expires', 'last used'],
      keys.map((key) => [
        key.id,
        key.status,
        key.name,
        key.owner.username,
        key.scopes.length > 3 ? `${key.scopes.length} scopes` : key.scopes.join(' '),
        key.expiresAt === null ? 'never' : time(key.expiresAt),
        time(key.lastUsedAt),
      ]),
      'No API keys. Create one with `mimir apikey create --name NAME`.',
    ),
  )
}

async function rotateKey(
  id: string,
  options: { overlap?: number },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  const made = await call(globals, 'apikey.rotate', {
    id,
    overlapHours: options.overlap,
  })
  await print(globals, made, () => made.key)
  if (!globals.json)
    remark(globals, `${SHOWN_ONCE} ${id} expires ${time(made.previous.expiresAt)}.`)
}

async function revokeKey(id: string, options: { yes?: boolean }, command: Command): Promise<void> {
  const globals = globalsOf(command)
  await confirm(`Revoke the key ${id}?`, options)
  const key = await call(globals, 'apikey.revoke', { id })
  await print(globals, key, () => `${id} is revoked.`)
}

const NEVER = 'never'

function parseExpiry(text: string): number | typeof NEVER {
  return text === NEVER ? NEVER : parseDays(text)
}

/** Whole hours, rounded up. */
function parseOverlap(text: string): number {
  return text === '0' ? 0 : Math.ceil(parseSeconds(text) / 3600)
}
