import { Argument, type Command } from 'commander'
import type {
  listKeysCommand,
  retireKeyCommand,
  rotateKeyCommand,
} from '../src/features/keys/commands.ts'
import type { KeyPurpose } from '../src/platform/keyring.ts'
import { confirm } from './ask.ts'
import { order } from './connection.ts'
import { withExamples } from './examples.ts'
import { globalsOf } from './globals.ts'
import { print, table, time } from './output.ts'

const PURPOSES: readonly KeyPurpose[] = ['jwt', 'message', 'turn', 'refresh', 'vapid', 'audit']

export function addKey(program: Command): void {
  const key = program.command('key').description('the keys that sign and seal')

  const list = key.command('list').description('list the keys').action(listKeys)
  withExamples(list, 'mimir key list', 'mimir key list --json')

  const rotate = key
    .command('rotate')
    .description('make a new key and use it; the old one still verifies or opens')
    .addArgument(new Argument('<purpose>', 'what the key is for').choices(PURPOSES))
    .action(rotateKey)
  withExamples(rotate, 'mimir key rotate jwt', 'mimir key rotate message --json')

  const retire = key
    .command('retire')
    .description('destroy an old key that nothing needs any more')
    .argument('<id>', 'as `mimir key list` shows it')
    .option('--yes', 'do not ask')
    .action(retireKey)
  withExamples(retire, 'mimir key retire jwt-5f0c9a7be213')
}

async function listKeys(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const keys = await order<typeof listKeysCommand>(globals, 'key.list', {})
  await print(globals, keys, () =>
    table(
      ['id', 'purpose', 'in use', 'from', 'made', 'public key'],
      keys.map((key) => [
        key.id,
        key.purpose,
        key.current ? 'for new things' : 'for old things',
        key.source,
        key.source === 'file' ? time(key.createdAt) : '',
        key.publicKey ?? '',
      ]),
      'There are no keys.',
    ),
  )
}

async function rotateKey(purpose: KeyPurpose, _options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const key = await order<typeof rotateKeyCommand>(globals, 'key.rotate', { purpose })
  await print(globals, key, () => `${key.id} is the ${purpose} key from now on.`)
}

async function retireKey(id: string, options: { yes?: boolean }, command: Command): Promise<void> {
  const globals = globalsOf(command)
  await confirm(`Destroy the key ${id}? What only it verifies or opens is lost.`, options)
  const result = await order<typeof retireKeyCommand>(globals, 'key.retire', { id })
  await print(globals, result, () => `${id} is destroyed.`)
}
