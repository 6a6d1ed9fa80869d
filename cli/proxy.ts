import type { Command } from 'commander'
import { call } from './connection.ts'
import { withExamples } from './examples.ts'
import { globalsOf } from './globals.ts'
import { print, remark } from './output.ts'

const PROXIES = [
  ['nginx', 'a site file for nginx', '/etc/nginx/sites-available/mimir'],
  ['caddy', 'a Caddyfile block', '/etc/caddy/mimir.caddy'],
  ['traefik', 'a file for Traefik’s file provider', '/etc/traefik/dynamic/mimir.yaml'],
] as const

export function addProxy(program: Command): void {
  const proxy = program.command('proxy').description('reverse proxy configuration for this server')

  for (const [name, what, path] of PROXIES) {
    const one = proxy
      .command(name)
      .description(`print ${what}`)
      .action((_options: object, command: Command) => printConfig(name, command))
    withExamples(one, `mimir proxy ${name} > ${path}`, `mimir proxy ${name} --json`)
  }
}

async function printConfig(proxy: (typeof PROXIES)[number][0], command: Command): Promise<void> {
  const globals = globalsOf(command)
  const result = await call(globals, 'proxy.config', { proxy })
  for (const note of result.notes) remark(globals, note)
  await print(globals, result, () => result.config)
}
