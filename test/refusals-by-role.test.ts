import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HUB_PERMISSION } from '../src/app/endpoints.ts'
import { hubMethods, routes, tools } from '../src/app/features.ts'
import {
  PERMISSIONS,
  type Permission,
  permissionsOf,
  type Role,
} from '../src/policy/permissions.ts'
import { type Appliance, boot } from './harness/boot.ts'
import { byKey, makeKey } from './harness/keys.ts'
import { assertDone } from './harness/rest.ts'
import {
  byRest,
  type Caller,
  type Operation,
  type Outcome,
  TRANSPORTS,
  Visit,
} from './refusals/transports.ts'

const OPERATIONS = Object.values(TRANSPORTS).flat()
const DAY = 86_400_000
const QUARTER_OF_AN_HOUR = 900_000

/** The caller's permissions, and whether it is a program: those get other error codes and one more check. */
interface Rights {
  readonly permissions: ReadonlySet<Permission>
  readonly isProgram: boolean
}

function mayTry(operation: Operation, rights: Rights): boolean {
  const { requirement, besides, changes, name, onlyGranted = false } = operation
  const { permissions, isProgram } = rights
  if (onlyGranted && !isProgram) return false
  if (besides && !permissions.has(besides)) return false
  if (name.startsWith('hub:') && !permissions.has(HUB_PERMISSION)) return false
  if (requirement === 'public' || requirement === 'anyone') return true
  if (requirement !== 'signed-in') return permissions.has(requirement)
  return !(isProgram && changes) || permissions.has('privacy:self')
}

/** Refusals because of how the request arrived, not who sent it: a foreign origin, or no pending sign-in. */
const OF_THE_WAY = new Set(['foreign_origin', 'step_up_required', 'invalid_or_expired_challenge'])

/** For programs, these codes are refusals by the resource, such as a link that needs a session. */
function isRefused({ status, code = '' }: Outcome, isProgram: boolean): boolean {
  if (isProgram && ['forbidden', 'session_needed'].includes(code)) return false
  if (OF_THE_WAY.has(code)) return false
  if (status === 403 || status === 401) return true
  return ['forbidden', 'insufficient_permission'].includes(code)
}

/** Tries the operations and compares the refusals with what the permissions predict. */
async function walk(
  mimir: Appliance,
  caller: Caller,
  rights: Rights,
  operations: readonly Operation[] = OPERATIONS,
): Promise<void> {
  await using visit = new Visit(mimir, caller)
  for (const operation of operations) {
    const what = `${operation.name} (${operation.requirement}) by ${caller.name}`
    const outcome = await operation.attempt(visit)
    const expected = !mayTry(operation, rights)
    assert.equal(
      isRefused(outcome, rights.isProgram),
      expected,
      `${what}: ${JSON.stringify(outcome)}`,
    )
    if (!expected || outcome.status === undefined || /^(hub|mcp):/.test(operation.name)) continue
    assert.equal(outcome.code, rights.isProgram ? 'insufficient_permission' : 'forbidden', what)
  }
}

test('the matrix holds every operation of every transport', () => {
  assert.equal(new Set(OPERATIONS.map(({ name }) => name)).size, OPERATIONS.length)
  const ofTools = tools.reduce((sum, { operations }) => sum + operations.size, 0)
  assert.equal(OPERATIONS.length, routes.length + 2 + hubMethods.length + ofTools)
  const counts = Object.entries(TRANSPORTS).map(([name, { length }]) => `${length} ${name}`)
  console.log(`the matrix has ${counts.join(', ')}: ${OPERATIONS.length} operations in all`)
})

test('people may do what their role says, and nothing else', async () => {
  await using mimir = await boot()
  const owner = { username: 'root', email: 'root@example.org', password: 'the first one' }
  await mimir.command('user.create-first-admin', owner)
  const signIn = { usernameOrEmail: 'root', password: owner.password }
  const { accessToken } = assertDone(await mimir.rest().post('/api/auth/login', signIn))
  const tokens: Partial<Record<Role, string>> = { owner: accessToken }
  for (const role of ['admin', 'member', 'guest'] as const) {
    tokens[role] = (await mimir.person(role)).accessToken
    await mimir.command('user.set-role', { user: role, role })
  }
  for (const [role, credential] of Object.entries(tokens) as [Role, string][]) {
    const permissions = permissionsOf(role)
    await walk(mimir, { name: role, credential }, { permissions, isProgram: false })
  }
})

const asking = (permission: Permission) =>
  OPERATIONS.filter(({ requirement }) => requirement === permission)

test('a service may do what its role says, and without a scope nothing that asks for it', async () => {
  await using mimir = await boot()
  const role = permissionsOf('service')
  const isProgram = true
  const { key: credential } = await makeKey(mimir, 'wide', { scopes: ['*'] })
  await walk(mimir, { name: 'a service', credential }, { permissions: role, isProgram })
  for (const scope of role) {
    const alone = new Set([scope, HUB_PERMISSION])
    const without = new Set([...role].filter((one) => one !== scope))
    for (const [name, permissions] of Object.entries({ alone, without })) {
      const { key } = await makeKey(mimir, 'narrow', { scopes: [...permissions] })
      const caller = { name: `a key ${name} ${scope}`, credential: key }
      await walk(mimir, caller, { permissions, isProgram }, asking(scope))
    }
  }
  // Changing one's own account needs a scope too.
  const { key } = await makeKey(mimir, 'narrow', { scopes: ['friends:read'] })
  const caller = { name: 'a narrow key', credential: key }
  await walk(mimir, caller, { permissions: new Set(['friends:read']), isProgram })
})

test('each permission that a guest has not opens what asks for it, once it is granted', async () => {
  const roleMappings = Object.fromEntries(PERMISSIONS.map((one) => [one, { permissions: [one] }]))
  const roles = { version: '1.0', claimPath: 'roles', roleMappings }
  await using mimir = await boot({ env: { MIMIR_RBAC_CONFIG: JSON.stringify(roles) } })
  const gus = await mimir.person('gus')
  await mimir.command('user.set-role', { user: 'gus', role: 'guest' })
  const guest = permissionsOf('guest')
  const caller = { name: 'a guest', credential: gus.accessToken }
  for (const permission of PERMISSIONS.filter((one) => !guest.has(one))) {
    const operations = asking(permission)
    await walk(mimir, caller, { permissions: guest, isProgram: false }, operations)
    await mimir.command('role.grant', { user: 'gus', role: permission })
    const permissions = new Set([...guest, permission])
    await walk(mimir, caller, { permissions, isProgram: false }, operations)
    await mimir.command('role.revoke', { user: 'gus', role: permission })
  }
})

test('a key that is not good opens nothing on any transport', async () => {
  await using mimir = await boot()
  const good = await makeKey(mimir, 'good')
  const elsewhere = await makeKey(mimir, 'elsewhere', { addresses: ['203.0.113.0/24'] })
  const revoked = await makeKey(mimir, 'revoked')
  await mimir.command('apikey.revoke', { id: revoked.id })
  const suspended = await makeKey(mimir, 'suspended')
  await mimir.command('user.suspend', { user: 'suspended' })
  const expired = await makeKey(mimir, 'expired', { expiresInDays: 1 })
  mimir.clock.advance(DAY)
  const bad: Record<string, [key: string, code: string]> = {
    malformed: ['mimir_nonsense', 'invalid_token'],
    mistyped: [`${good.key.slice(0, -1)}${good.key.endsWith('0') ? '1' : '0'}`, 'invalid_token'],
    revoked: [revoked.key, 'invalid_token'],
    'of a suspended service': [suspended.key, 'invalid_token'],
    'from another address': [elsewhere.key, 'invalid_token'],
    expired: [expired.key, 'token_expired'],
  }
  for (const [what, [key, code]] of Object.entries(bad)) {
    await using visit = new Visit(mimir, { name: what, credential: key })
    for (const operation of OPERATIONS) {
      if (operation.requirement === 'public' || operation.requirement === 'anyone') continue
      const outcome = await operation.attempt(visit)
      const name = `${operation.name} by a key ${what}: ${JSON.stringify(outcome)}`
      assert.ok(isRefused(outcome, true), name)
      if (!operation.name.startsWith('hub:')) assert.deepEqual(outcome, { status: 401, code }, name)
    }
  }
  assertDone(await byKey(mimir, good.key).get('/api/me'))
})

test('who has to show a second factor, and has not, opens nothing on any transport', async () => {
  await using mimir = await boot({ env: { MIMIR_MFA_REQUIRED_ROLES: 'admin' } })
  const { accessToken: credential } = await mimir.person('alice')
  await mimir.command('user.set-role', { user: 'alice', role: 'admin' })
  await using visit = new Visit(mimir, { name: 'alice', credential })
  for (const operation of OPERATIONS) {
    if (operation.requirement === 'public' || operation.requirement === 'anyone') continue
    const outcome = await operation.attempt(visit)
    const name = `${operation.name}: ${JSON.stringify(outcome)}`
    assert.ok(isRefused(outcome, false), name)
    if (!operation.name.startsWith('hub:')) assert.equal(outcome.status, 401, name)
  }
})

test('what asks for a fresh proof is refused to a sign-in of a while ago, and nothing else is', async () => {
  await using mimir = await boot()
  const { refreshToken } = await mimir.person('alice')
  await mimir.command('user.set-role', { user: 'alice', role: 'admin' })
  mimir.clock.advance(QUARTER_OF_AN_HOUR)
  const refreshed = await mimir.rest().post('/api/auth/refresh', { refreshToken })
  const credential: string = assertDone(refreshed).accessToken
  const rights = { permissions: permissionsOf('admin'), isProgram: false }
  await using visit = new Visit(mimir, { name: 'alice', credential })
  let asked = 0
  for (const route of routes) {
    const operation = byRest(route)
    const isAsked = Boolean(route.stepUp) && mayTry(operation, rights)
    const outcome = await operation.attempt(visit)
    const isToProve = outcome.code === 'step_up_required'
    assert.equal(isToProve, isAsked, `${operation.name}: ${JSON.stringify(outcome)}`)
    if (isAsked) asked++
  }
  assert.ok(asked > 0)
})
