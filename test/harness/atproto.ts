import { randomBytes, randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Keypair, P256Keypair, Secp256k1Keypair } from '@atproto/crypto'
import type { Appliance } from './boot.ts'
import { Xrpc } from './xrpc.ts'

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** An in-process network of DIDs: a PLC directory and a did:web host. */
export class DidNetwork implements AsyncDisposable {
  readonly #server: Server
  /** DID documents by request path. */
  readonly #documents = new Map<string, object>()
  readonly asked: string[] = []
  /** Whether every request is answered with an error of the server. */
  isDown = false

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<DidNetwork> {
    const server = createServer((request, response) => {
      const path = decodeURIComponent(request.url ?? '')
      network.asked.push(path)
      const document = network.#documents.get(path)
      const status = network.isDown ? 503 : document ? 200 : 404
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(document ?? {}))
    })
    const network = new DidNetwork(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return network
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Settings that make an appliance resolve DIDs here. */
  get env(): Record<string, string> {
    return {
      MIMIR_PLC_URL: `http://127.0.0.1:${this.port}`,
      MIMIR_OUTBOUND_ALLOW: 'localhost,127.0.0.1,::1',
    }
  }

  /** Creates an identity with its own key. */
  async plc(curve: 'K-256' | 'P-256' = 'K-256'): Promise<Identity> {
    const letters = 'abcdefghijklmnopqrstuvwxyz234567'
    const id = [...randomBytes(24)].map((byte) => letters[byte % 32]).join('')
    return this.#identity(`did:plc:${id}`, `/did:plc:${id}`, await newKey(curve))
  }

  async web(curve: 'K-256' | 'P-256' = 'P-256'): Promise<Identity> {
    const did = `did:web:localhost%3A${this.port}`
    return this.#identity(did, '/.well-known/did.json', await newKey(curve))
  }

  #identity(did: string, path: string, key: Keypair): Identity {
    this.publish(did, path, key)
    return new Identity(this, did, path, key)
  }

  publish(did: string, path: string, key: Keypair): void {
    this.#documents.set(path, {
      '@context': ['https://www.w3.org/ns/did/v1'],
      id: did,
      verificationMethod: [
        {
          id: `${did}#atproto`,
          type: 'Multikey',
          controller: did,
          publicKeyMultibase: key.did().slice('did:key:'.length),
        },
      ],
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

function newKey(curve: 'K-256' | 'P-256'): Promise<Keypair> {
  return curve === 'K-256'
    ? Secp256k1Keypair.create({ exportable: true })
    : P256Keypair.create({ exportable: true })
}

/** A user of another network, with the key that their server signs with. */
export class Identity {
  readonly #network: DidNetwork
  readonly #path: string
  readonly did: string
  key: Keypair

  constructor(network: DidNetwork, did: string, path: string, key: Keypair) {
    this.#network = network
    this.did = did
    this.#path = path
    this.key = key
  }

  /** Replaces the signing key and publishes the new one; returns the old key. */
  async rotate(): Promise<Keypair> {
    const old = this.key
    this.key = await newKey(old.jwtAlg === 'ES256K' ? 'K-256' : 'P-256')
    this.#network.publish(this.did, this.#path, this.key)
    return old
  }

  /** A service token for a method; `claims` and `header` override the defaults. */
  async token(
    mimir: Appliance,
    name: string,
    claims: Record<string, unknown> = {},
    { key = this.key, header = {} }: { key?: Keypair; header?: object } = {},
  ): Promise<string> {
    const now = Math.floor(mimir.clock.now() / 1000)
    const payload = {
      iss: this.did,
      aud: mimir.app.ctx.config.atproto.serviceDid,
      iat: now,
      exp: now + 60,
      lxm: `blue.catbird.mls.${name}`,
      jti: randomUUID(),
      ...claims,
    }
    const signed = `${base64url({ typ: 'JWT', alg: key.jwtAlg, ...header })}.${base64url(payload)}`
    const signature = await key.sign(Buffer.from(signed))
    return `${signed}.${Buffer.from(signature).toString('base64url')}`
  }

  /** Calls a method with a fresh token. */
  async call(mimir: Appliance, name: string, input?: object) {
    const xrpc = new Xrpc(mimir.rest(await this.token(mimir, name)))
    return input ? xrpc.post(name, input) : xrpc.get(name)
  }
}
