import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Appliance } from './boot.ts'
import { systemProgram } from './program.ts'
import { ReverseProxy } from './proxy.ts'

const program = systemProgram('caddy')

/** Caddy with exactly the configuration that `mimir proxy caddy` prints, and a self-made certificate. */
export class Caddy extends ReverseProxy {
  static readonly skip = program.skip

  protected async run(mimir: Appliance): Promise<ChildProcess> {
    const { config } = await mimir.command('proxy.config', { proxy: 'caddy' })
    const ofThisTest = [
      'admin off',
      'skip_install_trust',
      'auto_https disable_redirects',
      'default_bind 127.0.0.1',
      `storage file_system ${join(this.folder, 'storage')}`,
    ]
    const file = join(this.folder, 'Caddyfile')
    writeFileSync(file, `{\n${ofThisTest.join('\n')}\n}\n${config}`)
    const { PATH = '' } = process.env
    const env = { PATH, HOME: this.folder }
    return spawn(program.path, ['run', '--config', file, '--adapter', 'caddyfile'], { env })
  }
}
