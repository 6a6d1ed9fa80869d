import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { listBots } from './bots.ts'

const listBotsCommand = defineCommand({
  name: 'bot.list',
  input: z.object({}),
  run: listBots,
})

export const commands = [listBotsCommand]
