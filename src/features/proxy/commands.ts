import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { makeProxyConfig, PROXIES } from './service.ts'

const proxyConfigCommand = defineCommand({
  name: 'proxy.config',
  input: z.object({ proxy: z.enum(PROXIES) }),
  run: makeProxyConfig,
})

export const commands = [proxyConfigCommand]
