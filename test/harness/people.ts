import type { Appliance } from './boot.ts'
import type { HubClient } from './hub.ts'
import { assertDone, type Rest } from './rest.ts'

/** A person with an account, and what they can do. */
export class Person {
  readonly #appliance: Appliance
  readonly name: string
  readonly password: string
  readonly id: string
  readonly accessToken: string
  readonly refreshToken: string

  constructor(appliance: Appliance, account: PersonAccount) {
    this.#appliance = appliance
    this.name = account.name
    this.password = account.password
    this.id = account.id
    this.accessToken = account.accessToken
    this.refreshToken = account.refreshToken
  }

  get rest(): Rest {
    return this.#appliance.rest(this.accessToken)
  }

  /** Signs in again, as another device does: a new session. */
  async signIn(): Promise<SignedIn> {
    const reply = await this.#appliance.rest().post('/api/auth/login', {
      usernameOrEmail: this.name,
      password: this.password,
    })
    return assertDone(reply)
  }

  /** The same person with the tokens of a new session. */
  async signedInAnew(): Promise<Person> {
    return new Person(this.#appliance, { ...this, ...(await this.signIn()) })
  }

  /** Connects a new device of theirs to the hub. */
  connect(): Promise<HubClient> {
    return this.#appliance.hub(this.accessToken)
  }

  async friendKey(): Promise<string> {
    return assertDone(await this.rest.get('/api/me')).friendKey
  }

  async befriend(other: Person): Promise<void> {
    const request = await this.rest.post('/api/friends/requests', {
      friendKey: await other.friendKey(),
    })
    const { id } = assertDone(request, 201)
    assertDone(await other.rest.post(`/api/friends/requests/${id}/accept`), 204)
  }

  /** The id of the direct conversation with a friend, created on first use. */
  async dm(other: Person): Promise<string> {
    const reply = await this.rest.post('/api/conversations', {
      type: 'Dm',
      memberIds: [other.id],
    })
    return reply.body.id
  }

  /** Creates a group with friends; returns its id. */
  async group(name: string, ...members: Person[]): Promise<string> {
    const memberIds = members.map((member) => member.id)
    const reply = await this.rest.post('/api/conversations', { type: 'Group', name, memberIds })
    return assertDone(reply, 201).id
  }

  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the message.
  async say(conversationId: string, content: string): Promise<any> {
    return assertDone(await this.rest.post(`/api/messages/${conversationId}`, { content }), 201)
  }
}

/** The response of sign-in and refresh. */
export interface SignedIn {
  readonly accessToken: string
  readonly accessExpiresAt: string
  readonly refreshToken: string
  readonly refreshExpiresAt: string
  readonly username: string
  readonly isAdmin: boolean
}

export interface PersonAccount {
  readonly name: string
  readonly password: string
  readonly id: string
  readonly accessToken: string
  readonly refreshToken: string
}

export async function createPerson(appliance: Appliance, name: string): Promise<Person> {
  const rest = appliance.rest()
  const password = `the password of ${name}`
  const { token } = await appliance.command('invite.create')
  const registered = await rest.post('/api/auth/register', {
    invitationToken: token,
    email: `${name}@example.org`,
    username: name,
    password,
  })
  const { userId: id } = assertDone(registered)
  if (appliance.mail) {
    const confirmation = await appliance.mail.token(`${name}@example.org`)
    assertDone(await rest.get(`/api/auth/verify-email?token=${confirmation}`))
  }
  await appliance.command('user.approve', { user: name })
  const signedIn = assertDone(
    await rest.post('/api/auth/login', { usernameOrEmail: name, password }),
  )
  const { accessToken, refreshToken } = signedIn
  return new Person(appliance, { name, password, id, accessToken, refreshToken })
}
