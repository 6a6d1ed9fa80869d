import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { makeProxyConfig, PROXIES } from './service.ts'

export const proxyConfigCommand = defineCommand({
  name: 'proxy.config',
  input: z.object({ proxy: z.enum(PROXIES) }),
  run: makeProxyConfig,
})

export const commands = [proxyConfigCommand]
