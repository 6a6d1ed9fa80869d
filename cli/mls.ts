import type { Command } from 'commander'
import { call } from './connection.ts'
import { withExamples } from './examples.ts'
import { globalsOf } from './globals.ts'
import { print, properties, table, time } from './output.ts'

export function addMls(program: Command): void {
  const mls = program
    .command('mls')
    .description('end-to-end encrypted conversations: sizes and members, never content')

  const list = mls.command('list').description('list the conversations').action(listConvos)
  withExamples(list, 'mimir mls list', 'mimir mls list --json')

  const show = mls
    .command('show')
    .description('show a conversation, its members and their devices')
    .argument('<id>', 'as shown by `mimir mls list`')
    .action(showConvo)
  withExamples(show, 'mimir mls show 00112233445566778899aabbccddeeff')

  const devices = mls
    .command('devices')
    .description('list the devices of a user and the key packages left on each')
    .argument('<user>', 'username, e-mail or id')
    .action(listDevices)
  withExamples(devices, 'mimir mls devices ada')

  const compact = mls
    .command('compact')
    .description('delete now what is older than MIMIR_MLS_RETENTION_DAYS and read by every device')
    .action(compactNow)
  withExamples(compact, 'mimir mls compact')
}

async function listConvos(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const convos = await call(globals, 'mls.list', {})
  await print(globals, convos, () =>
    table(
      ['id', 'epoch', 'members', 'messages', 'bytes', 'created'],
      convos.map((one) => [
        ...[one.id, one.epoch, one.members, one.messages, one.bytes],
        time(one.createdAt),
      ]),
      'No encrypted conversations.',
    ),
  )
}

async function showConvo(convo: string, _options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const view = await call(globals, 'mls.show', { convo })
  await print(globals, view, async () => {
    const facts = await properties([
      ['id', view.groupId],
      ['suite', view.cipherSuite],
      ['epoch', view.epoch],
      ['last sequence', view.lastSeq],
      ['compacted up to', view.floorSeq],
      ['created', time(view.createdAt)],
    ])
    const members = await table(
      ['member', 'admin', 'devices', 'joined'],
      view.members.map((member) => [
        ...[member.did, member.isAdmin ? 'yes' : '', member.devices.length],
        time(member.joinedAt),
      ]),
      'It has no members.',
    )
    return `${facts}\n\n${members}`
  })
}

async function listDevices(user: string, _options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const devices = await call(globals, 'mls.devices', { user })
  await print(globals, devices, () =>
    table(
      ['id', 'name', 'key packages', 'last seen'],
      devices.map((one) => [one.id, one.name, one.keyPackages, time(one.lastSeenAt)]),
      'This user has no devices for encrypted conversations.',
    ),
  )
}

async function compactNow(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const done = await call(globals, 'mls.compact', {})
  await print(
    globals,
    done,
    () => `Deleted ${done.messages} messages from ${done.conversations} conversations.`,
  )
}
