import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Sandbox } from './harness.ts'

const shipped = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../deploy/nginx/${name}`, import.meta.url)), 'utf8')

test('mimir proxy nginx prints the file that deploy/ ships, for this server', async () => {
  await using sandbox = new Sandbox()
  await sandbox.init()
  const nginx = (url: string, listen = '127.0.0.1:8080', ...args: string[]) => {
    const env = {
      MIMIR_PUBLIC_URL: url,
      MIMIR_LISTEN: listen,
      MIMIR_TRUSTED_PROXIES: '127.0.0.0/8',
    }
    return sandbox.run(['proxy', 'nginx', ...args], { env })
  }
  const root = await nginx('https://chat.example.org')
  assert.deepEqual([root.stdout, root.stderr], [shipped('mimir.conf'), ''])
  const path = await nginx('https://www.example.org/mimir')
  assert.equal(path.stdout, shipped('mimir-under-a-path.conf'))

  const other = (await nginx('https://chat.example.org:8443', '[::1]:9000')).stdout
  assert.match(other, /^ {4}listen 8443 ssl;$/m)
  assert.match(other, /^ {4}server \[::1\]:9000;$/m)
  assert.doesNotMatch(other, /listen 80;/, 'nobody comes by http to a port of one’s own')
  const plain = (await nginx('http://chat.lan', '0.0.0.0:8080')).stdout
  assert.match(plain, /^ {4}listen 80;\n {4}listen \[::\]:80;\n {4}server_name chat\.lan;$/m)
  assert.match(plain, /^ {4}server 127\.0\.0\.1:8080;$/m)
  assert.doesNotMatch(plain, /ssl/)
  const { proxy, config, notes } = (
    await nginx('https://chat.example.org', '127.0.0.1:8080', '--json')
  ).json
  assert.deepEqual([proxy, config, notes], ['nginx', root.stdout, []])
})

test('mimir proxy knows Caddy and Traefik, and what the server’s settings lack', async () => {
  await using sandbox = new Sandbox()
  await sandbox.init()
  const env = { MIMIR_PUBLIC_URL: 'https://www.example.org/mimir' }
  const caddy = await sandbox.run(['proxy', 'caddy'], { env })
  assert.match(caddy.stderr, /^Set MIMIR_TRUSTED_PROXIES=127\.0\.0\.1: [^\n]+\n$/)
  assert.match(caddy.stdout, /^https:\/\/www\.example\.org \{\n\tredir \/mimir \/mimir\/ 308\n/m)
  assert.match(
    caddy.stdout,
    /^\thandle \/mimir\/\* \{\n\t\treverse_proxy 127\.0\.0\.1:8080\n\t\}$/m,
  )
  const traefik = (await sandbox.run(['proxy', 'traefik'], { env })).stdout
  assert.ok(
    traefik.includes(
      'rule: "Host(`www.example.org`) && (Path(`/mimir`) || PathPrefix(`/mimir/`) || PathRegexp(`^/[.]well-known/oauth-[a-z-]+/mimir(/|$)`))"',
    ),
  )
  assert.match(traefik, /^ +- url: "http:\/\/127\.0\.0\.1:8080"$/m)
  const http = { MIMIR_PUBLIC_URL: 'http://chat.lan:8000' }
  assert.match(
    (await sandbox.run(['proxy', 'caddy'], { env: http })).stdout,
    /^http:\/\/chat\.lan:8000 \{$/m,
  )
  assert.match(
    (await sandbox.run(['proxy', 'traefik'], { env: http })).stdout,
    /entryPoints: \[web\]/,
  )

  ;(await sandbox.run(['proxy', 'nginx'])).assertRefused('public_url_not_set')
  const free = { ...env, MIMIR_LISTEN: '127.0.0.1:0' }
  ;(await sandbox.run(['proxy', 'nginx'], { env: free })).assertRefused('no_fixed_port')
  ;(await sandbox.run(['proxy', 'apache'])).assertWrongUsage()
})
