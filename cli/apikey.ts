import { type Command, Option } from 'commander'
import type {
  createKeyCommand,
  listKeysCommand,
  revokeKeyCommand,
  rotateKeyCommand,
} from '../src/features/api-keys/commands.ts'
import { confirm } from './ask.ts'
import { order } from './connection.ts'
import { parseDays, parseSeconds } from './duration.ts'
import { withExamples } from './examples.ts'
import { globalsOf } from './globals.ts'
import { AI_CLIENTS, type AiClient, mcpSnippet } from './mcp-snippet.ts'
import { print, remark, table, time } from './output.ts'

const SHOWN_ONCE = 'The key is shown this once: keep it now.'

export function addApiKey(program: Command): void {
  const apikey = program.command('apikey').description('keys for services and bots')

  const create = apikey
    .command('create')
    .description('make a key for a service, which is made too if there is none of the name')
    .requiredOption('--name <name>', 'what the service, or with --user the key, is called')
    .option('--user <user>', 'a person it shall act for, instead of a service')
    .option(
      '--scope <permission>',
      'what it may do, like messages:read or calls:* (what its owner may, but for administration)',
      collect,
    )
    .option(
      '--expires <duration>',
      'days or weeks that it is good for, or never (90d)',
      parseExpiry,
    )
    .option('--address <network>', 'where it may be used from, like 10.0.0.0/8 (anywhere)', collect)
    .addOption(
      new Option(
        '--snippet <client>',
        'print the configuration of this AI client (scopes mcp:read and mcp:write)',
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
    .argument('<id>', 'as `mimir apikey list` shows it: the letters behind mimir_')
    .option(
      '--overlap <duration>',
      'how long the old one goes on (24h); 0 ends it now',
      parseOverlap,
    )
    .action(rotateKey)
  withExamples(rotate, 'mimir apikey rotate k3v9x0aq', 'mimir apikey rotate k3v9x0aq --overlap 7d')

  const revoke = apikey
    .command('revoke')
    .description('end a key and the connections that it opened')
    .argument('<id>', 'as `mimir apikey list` shows it')
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
  const made = await order<typeof createKeyCommand>(globals, 'apikey.create', {
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
  if (snippet) remark(globals, `For ${snippet.file}, which others must not read.`)
  const end = made.expiresAt === null ? 'never ends' : `is good until ${time(made.expiresAt)}`
  remark(globals, `${SHOWN_ONCE} It acts as ${made.owner.username} and ${end}.`)
}

async function listKeys(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const keys = await order<typeof listKeysCommand>(globals, 'apikey.list', {})
  await print(globals, keys, () =>
    table(
      ['id', 'status', 'name', 'acts as', 'may', 'good until', 'last used'],
      keys.map((key) => [
        key.id,
        key.status,
        key.name,
        key.owner.username,
        key.scopes.length > 3 ? `${key.scopes.length} permissions` : key.scopes.join(' '),
        key.expiresAt === null ? 'for ever' : time(key.expiresAt),
        time(key.lastUsedAt),
      ]),
      'There are no API keys: make one with `mimir apikey create --name NAME`.',
    ),
  )
}

async function rotateKey(
  id: string,
  options: { overlap?: number },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  const made = await order<typeof rotateKeyCommand>(globals, 'apikey.rotate', {
    id,
    overlapHours: options.overlap,
  })
  await print(globals, made, () => made.key)
  if (!globals.json) remark(globals, `${SHOWN_ONCE} ${id} ends ${time(made.previous.expiresAt)}.`)
}

async function revokeKey(id: string, options: { yes?: boolean }, command: Command): Promise<void> {
  const globals = globalsOf(command)
  await confirm(`End the key ${id}?`, options)
  const key = await order<typeof revokeKeyCommand>(globals, 'apikey.revoke', { id })
  await print(globals, key, () => `${id} opens nothing any more.`)
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}

const NEVER = 'never'

function parseExpiry(text: string): number | typeof NEVER {
  return text === NEVER ? NEVER : parseDays(text)
}

/** Whole hours, rounded up. */
function parseOverlap(text: string): number {
  return text === '0' ? 0 : Math.ceil(parseSeconds(text) / 3600)
}
