import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeCertificate } from '../harness/certificate.ts'
import { Coturn } from '../harness/coturn.ts'
import { freePorts } from '../harness/ports.ts'
import { systemProgram } from '../harness/program.ts'
import { Sandbox } from './harness.ts'

const coturn = systemProgram('turnserver')
const openssl = systemProgram('openssl')

test('turn config and turn test, from nothing to a relay with TLS', {
  skip: coturn.skip || openssl.skip,
}, async () => {
  await using sandbox = new Sandbox()
  await sandbox.init()
  const [port = 0, tlsPort = 0] = await freePorts(2)
  ;(await sandbox.run(['turn', 'test'])).assertRefused('turn_not_configured')
  const unset = await sandbox.run(['turn', 'config'])
  assert.match(unset.stderr, /^Clients do not use the relay yet: set TURN_HOST\.\n$/)

  // Using the public URL's host with its port and path would be wrong in every line.
  const env = { MIMIR_PUBLIC_URL: 'https://chat.example.org:8443/mimir' }
  const { stdout } = await sandbox.run(['turn', 'config'], { env })
  assert.match(stdout, /^realm=chat\.example\.org$/m)
  assert.doesNotMatch(stdout, /8443|\/mimir/)

  const settings = `TURN_HOST=localhost\nTURN_PORT=${port}\nTURN_TLS_PORT=${tlsPort}\n`
  writeFileSync(join(sandbox.dataDir, 'mimir.env'), settings)
  const nobody = await sandbox.run(['turn', 'test'])
  nobody.assertRefused('turn_test_failed')
  assert.match(nobody.stdout, /^turns:localhost:\d+\S+ +failed +nothing answers there .*coturn/m)

  const { cert, key } = makeCertificate(openssl.path, sandbox.folder)
  const printed = (await sandbox.run(['turn', 'config'])).stdout
  const config = printed
    .replace(/^#cert=.*$/m, `cert=${cert}`)
    .replace(/^#pkey=.*$/m, `pkey=${key}`)
  await using relay = await new Coturn(coturn.path).start(config)
  const trusting = { NODE_EXTRA_CA_CERTS: cert }
  const all = await sandbox.run(['turn', 'test', '--json'], { env: trusting })
  const tests = all.json as { url: string; ok: boolean; relay: string | null }[]
  assert.deepEqual(
    tests.map(({ url, ok }) => [url.split(/:|=/)[0], ok]),
    [
      ['stun', true],
      ['turn', true],
      ['turn', true],
      ['turns', true],
    ],
    relay.log,
  )
  const table = (await sandbox.run(['turn', 'test'], { env: trusting })).stdout
  assert.match(table, /^turns:localhost:\d+\S+ +ok +allocated 127\.0\.0\.1:\d+$/m)
})
