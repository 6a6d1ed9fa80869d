import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Appliance } from './boot.ts'
import { makeCertificate } from './certificate.ts'
import { systemProgram } from './program.ts'
import { ReverseProxy } from './proxy.ts'

const program = systemProgram('nginx')
const openssl = systemProgram('openssl')

/** nginx with a site file from deploy/; only ports and paths are substituted. */
export class Nginx extends ReverseProxy {
  static readonly skip = program.skip || openssl.skip

  protected async run({ url, app }: Appliance): Promise<ChildProcess> {
    const name = app.ctx.config.pathPrefix ? 'mimir-under-a-path' : 'mimir'
    const site = new URL(`../../deploy/nginx/${name}.conf`, import.meta.url)
    const { cert, key } = makeCertificate(openssl.path, this.folder)
    const placed = readFileSync(fileURLToPath(site), 'utf8')
      .replaceAll('127.0.0.1:8080', new URL(url).host)
      .replaceAll(/^ +listen \[::\].*$/gm, '')
      .replaceAll('listen 443', `listen 127.0.0.1:${this.port}`)
      .replaceAll('listen 80', `listen 127.0.0.1:${this.plainPort}`)
      .replaceAll(/ssl_certificate \S+;/g, `ssl_certificate ${cert};`)
      .replaceAll(/ssl_certificate_key \S+;/g, `ssl_certificate_key ${key};`)
      .replaceAll('/var/log/nginx/error.log', this.#place('error.log'))
    const file = this.#place('nginx.conf')
    writeFileSync(file, this.#main(placed))
    return spawn(program.path, ['-c', file, '-e', 'stderr', '-g', 'daemon off;'])
  }

  /** Debian's main configuration, apart from paths and the number of workers. */
  #main(site: string): string {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${this.#place(kind)};`,
    )
    return [
      `pid ${this.#place('pid')};`,
      'worker_processes 1;',
      'events { worker_connections 256; }',
      'http {',
      `access_log ${this.#place('access.log')};`,
      ...temporary,
      site,
      '}',
    ].join('\n')
  }

  #place(name: string): string {
    return join(this.folder, name)
  }

  override logged(): string {
    const files = ['access.log', 'error.log'].map((name) => this.#place(name))
    const texts = files.map((path) => (existsSync(path) ? readFileSync(path, 'utf8') : ''))
    return [this.said, ...texts].join('')
  }
}
