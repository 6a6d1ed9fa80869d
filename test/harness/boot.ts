import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandInput, CommandName } from '../../src/app/command-types.ts'
import type { App } from '../../src/app/create-app.ts'
import { createServer } from '../../src/app/create-server.ts'
import type { TenantServer } from '../../src/app/tenants/server.ts'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { HubLimits } from '../../src/hub/limits.ts'
import { createLog } from '../../src/platform/log.ts'
import { createBcryptHasher, type PasswordHasher } from '../../src/platform/password.ts'
import type { StreamLimits } from '../../src/xrpc/stream.ts'
import { TestClock } from './clock.ts'
import { HubClient } from './hub.ts'
import type { MailServer } from './mail-server.ts'
import { createPerson, Person } from './people.ts'
import { Rest } from './rest.ts'
import { createTestStore, NO_STORE, type TestStore } from './store.ts'

const CHEAP_WORK_FACTOR = 4

export interface BootOptions {
  /** Settings as environment variables. Rate limits are off unless given. */
  readonly env?: Record<string, string>
  readonly hubLimits?: Partial<HubLimits>
  readonly streamLimits?: Partial<StreamLimits>
  /** The mail server to send through; with one, people must confirm their addresses. */
  readonly mail?: MailServer
  /** For tests of what a job does: it runs when the test runs it, not when the machine is slow, too. */
  readonly jobs?: 'by hand'
  /** Replaces the default cheap password hasher. */
  readonly passwords?: PasswordHasher
}

/** A whole appliance in this process, on the store engine of this test run, listening on a free port. */
export class Appliance implements AsyncDisposable {
  readonly clock: TestClock
  /** Lines that the server logged. */
  readonly logged: string[] = []
  readonly dataDir: string
  config!: Config
  app!: App
  url!: string
  readonly #store: TestStore
  readonly #options: BootOptions
  readonly #hubs: HubClient[] = []
  readonly #tenants: Appliance[] = []

  constructor(
    dataDir: string,
    store: TestStore,
    options: BootOptions,
    clock: TestClock = new TestClock(),
  ) {
    this.clock = clock
    this.dataDir = dataDir
    this.#store = store
    this.#options = options
  }

  /** The environment it starts with. */
  get env(): Record<string, string> {
    return this.#env(this.#options.env)
  }

  async start(): Promise<void> {
    const config = this.#config(this.#options.env)
    this.config = config
    this.app = await createServer({
      config,
      settingsOf: async (tenantId) => this.#config(this.#options.env, tenantId),
      log: createLog({
        level: 'debug',
        stream: { write: (line) => void this.logged.push(line) },
      }),
      clock: this.clock,
      passwords: this.#options.passwords ?? createBcryptHasher(CHEAP_WORK_FACTOR),
      checkAnswers: true,
      purpose: 'test',
      schedulesJobs: this.#options.jobs !== 'by hand',
      ...(this.#options.hubLimits ? { hubLimits: this.#options.hubLimits } : {}),
      ...(this.#options.streamLimits ? { streamLimits: this.#options.streamLimits } : {}),
    })
    const listener = await this.app.listen()
    this.url = `http://127.0.0.1:${listener.port}`
  }

  #env(env: Record<string, string> = {}): Record<string, string> {
    return {
      MIMIR_LISTEN: '127.0.0.1:0',
      MIMIR_RATE_LIMITS: 'off',
      MIMIR_METRICS_LISTEN: 'off',
      ...this.#store.env,
      ...this.#options.mail?.env,
      ...env,
    }
  }

  #config(env?: Record<string, string>, tenantId = 'default'): Config {
    return loadConfig({ dataDir: this.dataDir, env: this.#env(env), tenantId }).config
  }

  /** The running appliance of a tenant, addressed by the host. */
  tenant(id: string, host: string): Appliance {
    const app = (this.app as TenantServer).appOf(id)
    if (!app) throw new Error(`the tenant ${id} is not served`)
    const tenant = new Appliance(app.ctx.config.dataDir, NO_STORE, this.#options, this.clock)
    tenant.app = app
    tenant.config = app.ctx.config
    tenant.url = `http://${host}:${new URL(this.url).port}`
    this.#tenants.push(tenant)
    return tenant
  }

  /** Replaces the settings it was started with, as SIGHUP does. */
  async reload(env: Record<string, string>): Promise<void> {
    await this.app.reload(this.#config(env))
  }

  get mail(): MailServer | undefined {
    return this.#options.mail
  }

  /** Stops and starts again on the same data; the port changes. */
  async restart(): Promise<void> {
    await this.app.close()
    await this.start()
  }

  /** A REST client without credentials, or with the token. */
  rest(token?: string): Rest {
    return new Rest(this.url, token ? { authorization: `Bearer ${token}` } : {})
  }

  /** A hub connection with the token, as one device. */
  async hub(token: string): Promise<HubClient> {
    const hub = new HubClient(this.url, token)
    this.#hubs.push(hub)
    return hub.start()
  }

  /** Runs a command of the command line. */
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the result.
  command(name: CommandName, input: object = {}): Promise<any> {
    return this.app.command(name, input as CommandInput<typeof name>)
  }

  /** Creates a person with an approved account, signed in, through the public API. */
  person(name: string): Promise<Person> {
    return createPerson(this, name)
  }

  /** Creates a person who is an administrator. */
  async admin(name: string): Promise<Person> {
    const person = await this.person(name)
    await this.command('user.set-role', { user: name, role: 'admin' })
    return person
  }

  /** Creates the owner of the server, who must be created before anyone else. */
  async owner(name: string): Promise<Person> {
    const password = `the password of ${name}`
    const account = { username: name, email: `${name}@example.org`, password }
    const { id } = await this.command('user.create-first-admin', account)
    const none = { accessToken: '', refreshToken: '' }
    return new Person(this, { name, password, id, ...none }).signedInAnew()
  }

  /** Creates people who are all friends with each other. */
  async friends<const N extends string[]>(...names: N): Promise<{ [K in keyof N]: Person }> {
    const people: Person[] = []
    for (const name of names) {
      const person = await this.person(name)
      for (const other of people) await other.befriend(person)
      people.push(person)
    }
    return people as { [K in keyof N]: Person }
  }

  /** Every byte the appliance has stored: its files, and the rows of an external database. */
  async stored(): Promise<Buffer> {
    const names = readdirSync(this.dataDir, { recursive: true, withFileTypes: true })
    const files = names.filter((entry) => entry.isFile())
    return Buffer.concat([
      ...files.map(({ parentPath, name }) => readFileSync(join(parentPath, name))),
      Buffer.from(await this.#store.dump()),
    ])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const hubs = [this, ...this.#tenants].flatMap((one) => one.#hubs)
    await Promise.all(hubs.map((hub) => hub.stop()))
    await this.app?.close()
    await this.#store.drop()
    rmSync(this.dataDir, { recursive: true, force: true })
  }
}

/** Use with `await using`, which stops the appliance and deletes its data. */
export async function boot(options: BootOptions = {}): Promise<Appliance> {
  const dataDir = mkdtempSync(join(tmpdir(), 'mimir-test-'))
  const appliance = new Appliance(dataDir, await createTestStore(dataDir), options)
  try {
    await appliance.start()
  } catch (error) {
    await appliance[Symbol.asyncDispose]()
    throw error
  }
  return appliance
}
