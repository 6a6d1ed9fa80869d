import type { Command } from 'commander'
import { call } from './connection.ts'
import { withExamples } from './examples.ts'
import { globalsOf } from './globals.ts'
import { print, table, time } from './output.ts'

export function addBot(program: Command): void {
  const bot = program.command('bot').description('bots: the accounts of services and webhooks')
  const list = bot.command('list').description('list the bots').action(listBots)
  withExamples(list, 'mimir bot list', 'mimir bot list --json')
}

async function listBots(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const bots = await call(globals, 'bot.list', {})
  await print(globals, bots, () =>
    table(
      ['username', 'name', 'status', 'groups', 'webhooks', 'failing', 'created', 'id'],
      bots.map((bot) => [
        bot.username,
        bot.name ?? '',
        bot.status,
        String(bot.groups),
        String(bot.webhooks),
        String(bot.failing),
        time(bot.createdAt),
        bot.id,
      ]),
      'No bots. Group webhooks and `mimir apikey create --name NAME` create them.',
    ),
  )
}
