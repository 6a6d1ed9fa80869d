// A PLC directory and a personal data server on free ports, run as a child of a test. Prints its
// addresses as a line of JSON; a DID on a line of standard input gives that account a new signing key.
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Secp256k1Keypair } from '@atproto/crypto'
import { envToCfg, envToSecrets, PDS } from '@atproto/pds'
import plc from '@did-plc/server'

const [folder] = process.argv.slice(2)
const hex = (bytes) => randomBytes(bytes).toString('hex')
const say = (value) => console.log(`said: ${JSON.stringify(value)}`)

const directory = plc.PlcServer.create({ db: plc.Database.mock(), port: await freePort() })
const directoryUrl = `http://localhost:${(await directory.start()).address().port}`

const [dataDirectory, blobstoreDiskLocation] = [join(folder, 'data'), join(folder, 'blobs')]
mkdirSync(dataDirectory)
const env = {
  ...{ devMode: true, hostname: 'localhost', port: await freePort(), inviteRequired: false },
  ...{ dataDirectory, blobstoreDiskLocation },
  ...{ adminPassword: hex(16), jwtSecret: hex(32), plcRotationKeyK256PrivateKeyHex: hex(32) },
  ...{ didPlcUrl: directoryUrl, serviceHandleDomains: ['.test'], disableSsrfProtection: true },
}
const pds = await PDS.create(envToCfg(env), envToSecrets(env))
await pds.start()
say({ directoryUrl, pdsUrl: `http://localhost:${env.port}` })

for await (const did of createInterface({ input: process.stdin })) {
  const key = await Secp256k1Keypair.create()
  await pds.ctx.plcClient.updateAtprotoKey(did, pds.ctx.plcRotationKey, key.did())
  say({ rotated: did })
}
await pds.destroy()
await directory.destroy()

/** The data server must know its port before it listens. */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
