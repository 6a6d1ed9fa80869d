import { Argument, type Command } from 'commander'
import { KEY_PURPOSES, type KeyPurpose } from '../src/platform/keyring.ts'
import { confirm } from './ask.ts'
import { call } from './connection.ts'
import { withExamples } from './examples.ts'
import { globalsOf } from './globals.ts'
import { print, table, time } from './output.ts'

export function addKey(program: Command): void {
  const key = program.command('key').description('the server’s signing and encryption keys')

  const list = key.command('list').description('list the keys').action(listKeys)
  withExamples(list, 'mimir key list', 'mimir key list --json')

  const rotate = key
    .command('rotate')
    .description('create and use a new key; the old one still verifies or decrypts')
    .addArgument(new Argument('<purpose>', 'what the key is for').choices(KEY_PURPOSES))
    .action(rotateKey)
  withExamples(rotate, 'mimir key rotate jwt', 'mimir key rotate message --json')

  const retire = key
    .command('retire')
    .description('destroy an old key that is no longer needed')
    .argument('<id>', 'as shown by `mimir key list`')
    .option('--yes', 'do not ask')
    .action(retireKey)
  withExamples(retire, 'mimir key retire jwt-5f0c9a7be213')
}

async function listKeys(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const keys = await call(globals, 'key.list', {})
  await print(globals, keys, () =>
    table(
      ['id', 'purpose', 'status', 'source', 'created', 'public key'],
      keys.map((key) => [
        key.id,
        key.purpose,
        key.current ? 'current' : 'previous',
        key.source,
        key.source === 'file' ? time(key.createdAt) : '',
        key.publicKey ?? '',
      ]),
      'No keys.',
    ),
  )
}

async function rotateKey(purpose: KeyPurpose, _options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const key = await call(globals, 'key.rotate', { purpose })
  await print(globals, key, () => `${key.id} is now the ${purpose} key.`)
}

async function retireKey(id: string, options: { yes?: boolean }, command: Command): Promise<void> {
  const globals = globalsOf(command)
  await confirm(`Destroy the key ${id}? Anything only it verifies or decrypts is lost.`, options)
  const result = await call(globals, 'key.retire', { id })
  await print(globals, result, () => `${id} is destroyed.`)
}
