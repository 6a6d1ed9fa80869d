import assert from 'node:assert/strict'
import {
  createDecipheriv,
  createECDH,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
} from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { importJWK, jwtVerify } from 'jose'
import { eventually } from './eventually.ts'

/** How a service answers one request; `hang` never does. */
export interface Answer {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: string
}
export type Answering = Answer | 'hang'

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

abstract class PushServer implements AsyncDisposable {
  /** Answers in order; the last one repeats. If empty, every request succeeds. */
  answers: Answering[] = []
  readonly #server = createServer((request, response) => {
    this.handle(request, response).catch((error: unknown) => {
      this.failures.push(error)
      response.writeHead(500).end()
    })
  })
  /** Failures of this server's own checks of the requests. */
  readonly failures: unknown[] = []
  url = ''

  protected abstract handle(request: IncomingMessage, response: ServerResponse): Promise<void>

  async start(): Promise<this> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  protected answer(response: ServerResponse, well: Answer): void {
    const answer = (this.answers.length > 1 ? this.answers.shift() : this.answers[0]) ?? well
    if (answer === 'hang') return
    response.writeHead(answer.status, answer.headers).end(answer.body ?? '')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
  }
}

/** Google's documented refusal: https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode. */
export function fcmError(status: number, rpc: string, errorCode?: string): Answer {
  const type = 'type.googleapis.com/google.firebase.fcm.v1.FcmError'
  const details = errorCode ? [{ '@type': type, errorCode }] : []
  const error = { code: status, message: 'refused', status: rpc, details }
  return { status, body: JSON.stringify({ error }) }
}

const PROJECT = 'a-project'
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** Google's token endpoint and the FCM HTTP v1 API, as documented. */
export class FcmServer extends PushServer {
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the message.
  readonly messages: any[] = []
  tokens = 0
  tokenAnswer: Answer | undefined
  readonly #folder = mkdtempSync(join(tmpdir(), 'mimir-fcm-'))

  /** Settings that make an appliance use this server. */
  get env(): Record<string, string> {
    const path = join(this.#folder, 'service-account.json')
    const account = {
      type: 'service_account',
      project_id: PROJECT,
      client_email: 'mimir@a-project.iam.gserviceaccount.com',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      token_uri: `${this.url}/token`,
    }
    writeFileSync(path, JSON.stringify(account))
    return { FIREBASE_SERVICE_ACCOUNT_PATH: path, MIMIR_FCM_ENDPOINT: this.url }
  }

  protected async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await bodyOf(request)).toString()
    if (request.url === '/token') return this.#token(body, response)
    assert.equal(request.url, `/v1/projects/${PROJECT}/messages:send`)
    assert.equal(request.headers.authorization, `Bearer token-${this.tokens}`)
    this.messages.push(JSON.parse(body).message)
    const name = `projects/${PROJECT}/messages/${this.messages.length}`
    this.answer(response, { status: 200, body: JSON.stringify({ name }) })
  }

  async #token(body: string, response: ServerResponse): Promise<void> {
    const assertion = new URLSearchParams(body).get('assertion') ?? ''
    const { payload } = await jwtVerify(assertion, publicKey)
    assert.equal(payload.scope, 'https://www.googleapis.com/auth/firebase.messaging')
    this.tokens += 1
    const token = { access_token: `token-${this.tokens}`, expires_in: 3600, token_type: 'Bearer' }
    const { status, body: text } = this.tokenAnswer ?? { status: 200, body: JSON.stringify(token) }
    response.writeHead(status, { 'content-type': 'application/json' }).end(text)
  }

  /** The n-th message (from 1); waits for it. */
  async message(n = 1) {
    await eventually(() => this.messages.length >= n, `push ${n} did not arrive`)
    assert.deepEqual(this.failures, [])
    return this.messages[n - 1]
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

export interface Pushed {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A push service (RFC 8030) that accepts only requests signed by the application server (RFC 8292). */
export class WebPushServer extends PushServer {
  readonly pushes: Pushed[] = []
  /** The application server's public key, in base64url. */
  vapidKey = ''
  subject = 'mailto:postmaster@localhost'

  protected async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request)
    const { headers, url: path = '' } = request
    const [, token = '', key] = /^vapid t=([^,]+), k=(.+)$/.exec(headers.authorization ?? '') ?? []
    assert.equal(key, this.vapidKey)
    const { payload } = await jwtVerify(token, await importJWK(jwkOf(this.vapidKey), 'ES256'))
    assert.deepEqual([payload.aud, payload.sub], [this.url, this.subject])
    this.pushes.push({ path, headers, body })
    this.answer(response, { status: 201 })
  }

  /** The n-th push (from 1); waits for it. */
  async push(n = 1): Promise<Pushed> {
    await eventually(() => this.pushes.length >= n, `push ${n} did not arrive`)
    assert.deepEqual(this.failures, [])
    return this.pushes[n - 1] as Pushed
  }
}

function jwkOf(point: string) {
  const bytes = Buffer.from(point, 'base64url')
  const [x, y] = [bytes.subarray(1, 33), bytes.subarray(33)]
  const jwk = { kty: 'EC', crv: 'P-256', x: x.toString('base64url'), y: y.toString('base64url') }
  createPublicKey({ key: jwk, format: 'jwk' })
  return jwk
}

/** A browser's half of a subscription: its keys, and decryption with them. */
export class Browser {
  readonly #keys = createECDH('prime256v1')
  readonly #auth = randomBytes(16)
  readonly endpoint: string

  constructor(endpoint: string) {
    this.endpoint = endpoint
    this.#keys.generateKeys()
  }

  get subscription() {
    const p256dh = this.#keys.getPublicKey('base64url')
    const keys = { p256dh, auth: this.#auth.toString('base64url') }
    return { endpoint: this.endpoint, expirationTime: null, keys }
  }

  /** Decrypts a push: RFC 8291 over the single record of RFC 8188. */
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the push.
  open({ headers, body }: Pushed): any {
    assert.equal(headers['content-encoding'], 'aes128gcm')
    const salt = body.subarray(0, 16)
    const sender = body.subarray(21, 21 + (body[20] as number))
    const record = body.subarray(21 + sender.length)
    const shared = this.#keys.computeSecret(sender)
    const info = [Buffer.from('WebPush: info\0'), this.#keys.getPublicKey(), sender]
    const derive = (secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number) =>
      Buffer.from(hkdfSync('sha256', secret, salt, info, length))
    const secret = derive(shared, this.#auth, Buffer.concat(info), 32)
    const key = derive(secret, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16)
    const nonce = derive(secret, salt, Buffer.from('Content-Encoding: nonce\0'), 12)
    const decipher = createDecipheriv('aes-128-gcm', key, nonce)
    decipher.setAuthTag(record.subarray(-16))
    const plain = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()])
    const end = plain.lastIndexOf(2)
    assert.ok(plain.subarray(end + 1).every((byte) => byte === 0))
    return JSON.parse(plain.subarray(0, end).toString('utf8'))
  }
}
