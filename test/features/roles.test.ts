import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import { loadRoleTable } from '../../src/features/roles/load.ts'
import { expandPermission } from '../../src/policy/permission-names.ts'
import { PERMISSIONS } from '../../src/policy/permissions.ts'
import { boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { auditOf } from '../harness/keys.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const roleFile = (roleMappings: object, more: object = {}) =>
  JSON.stringify({ version: '1.0', claimPath: 'roles', roleMappings, ...more })

const INVITERS = { inviters: { description: 'they invite', permissions: ['invites:*'] } }

test('names stand for one permission, for all of a resource, or for what earlier systems called so', () => {
  const expected: [name: string, permissions: readonly string[] | undefined][] = [
    ['*', PERMISSIONS],
    ['messages:*', ['messages:read', 'messages:write', 'messages:search']],
    ['mcp:*', ['mcp:read', 'mcp:write', 'mcp:admin']],
    ['privacy:self', ['privacy:self']],
    ['rooms:*', ['conversations:read', 'conversations:write']],
    ['files:read', ['attachments:read']],
    ['search:execute', ['nodes:read']],
    ['todos:delete', ['nodes:delete']],
    ['keys:delete', ['keys:write']],
    ['mcp:memory_read', ['mcp:read']],
    ['orchestration:*', []],
    ['chat:use', []],
    ...[
      '',
      ':',
      'messages',
      'messages:',
      ':*',
      '**',
      'message:*',
      'messages:erase',
      'toString',
      'Messages:read',
    ].map((name): [string, undefined] => [name, undefined]),
  ]
  for (const [name, permissions] of expected)
    assert.deepEqual(expandPermission(name), permissions, name)
})

test('a granted role adds what the file says, at once, and taken back it is gone', async () => {
  await using mimir = await boot({ env: { MIMIR_RBAC_CONFIG: roleFile(INVITERS) } })
  const bob = await mimir.person('bob')
  const invite = () => bob.rest.post('/api/admin/invitations')

  assertRefused(await invite(), 403, 'forbidden')
  const granted = await mimir.command('role.grant', { user: 'bob', role: 'inviters' })
  assert.deepEqual([granted.role, granted.granted], ['member', ['inviters']])
  assertDone(await invite())
  assertRefused(await bob.rest.get('/api/admin/users/pending'), 403, 'forbidden')
  assert.deepEqual(assertDone(await bob.rest.get('/auth/status')).user.roles, [
    'member',
    'inviters',
  ])
  await mimir.command('role.revoke', { user: 'bob', role: 'inviters' })
  assertRefused(await invite(), 403, 'forbidden')

  const audited = [
    ...(await auditOf(mimir, 'role.granted')),
    ...(await auditOf(mimir, 'role.revoked')),
  ]
  assert.deepEqual(
    audited.map((event) => [event.target_id, event.details.role]),
    [
      [bob.id, 'inviters'],
      [bob.id, 'inviters'],
    ],
  )
})

test('roles that do not exist are not granted, nor any twice', async () => {
  await using mimir = await boot({ env: { MIMIR_RBAC_CONFIG: roleFile(INVITERS) } })
  await mimir.person('bob')
  const bob = { user: 'bob', role: 'inviters' }
  await mimir.command('role.grant', bob)
  await assert.rejects(mimir.command('role.grant', bob), { code: 'role_already_granted' })
  for (const role of ['owner', 'nobody', '__proto__']) {
    await assert.rejects(mimir.command('role.grant', { user: 'bob', role }), {
      code: 'unknown_role',
    })
    await assert.rejects(mimir.command('role.revoke', { user: 'bob', role }), {
      code: 'role_not_granted',
    })
  }
})

test('a guest takes part, and starts nothing', async () => {
  await using mimir = await boot()
  const [ann, gus] = await mimir.friends('ann', 'gus')
  const dm = await ann.dm(gus)
  const hub = await gus.connect()
  await mimir.command('user.set-role', { user: 'gus', role: 'guest' })

  await eventually(() => hub.closed, 'a connection went on with the rights of before')
  await gus.say(dm, 'hello')
  assertRefused(
    await gus.rest.post('/api/conversations', { type: 'Dm', memberIds: [ann.id] }),
    403,
    'forbidden',
  )
  const again = await gus.connect()
  await again.assertRefused('forbidden', 'OfferCall', ann.id, 'sdp')
  // What is so already is no change.
  await mimir.command('user.set-role', { user: 'gus', role: 'guest' })
  assert.equal((await auditOf(mimir, 'account.role_changed')).length, 1)
})

test('the last administrator stays one, whatever else they shall be', async () => {
  await using mimir = await boot()
  await mimir.admin('ann')
  for (const role of ['member', 'guest']) {
    await assert.rejects(mimir.command('user.set-role', { user: 'ann', role }), {
      code: 'last_admin',
    })
  }
  await assert.rejects(mimir.command('user.suspend', { user: 'ann' }), { code: 'last_admin' })
  // A service is no administrator, whatever permissions it has.
  await mimir.command('apikey.create', { name: 'bot' })
  await assert.rejects(mimir.command('user.set-role', { user: 'ann', role: 'member' }), {
    code: 'last_admin',
  })
})

test('the file may be a file, a URL with its header, or the text itself', async () => {
  const asked: (string | undefined)[] = []
  const server = createServer((request, response) => {
    asked.push(request.headers.authorization)
    response.end(roleFile(INVITERS))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/roles.json`
  try {
    await using remote = await boot({
      env: { MIMIR_RBAC_CONFIG: url, MIMIR_RBAC_AUTH_HEADER: 'Bearer secret' },
    })
    assert.deepEqual([...remote.app.ctx.access.rules().roleTable.roles.keys()], ['inviters'])
    assert.deepEqual(asked, ['Bearer secret'])
  } finally {
    server.close()
  }
  await assert.rejects(boot({ env: { MIMIR_RBAC_CONFIG: url } }), /cannot be read/)
})

const BAD_FILES: Record<string, string> = {
  'no JSON': '{',
  'another version': roleFile(INVITERS, { version: '2.0' }),
  'no claimPath': roleFile(INVITERS, { claimPath: undefined }),
  'no mappings': roleFile(INVITERS, { roleMappings: undefined }),
  'an unknown permission': roleFile({ x: { permissions: ['messages:read', 'messages:all'] } }),
  'permissions that are no list': roleFile({ x: { permissions: '*' } }),
  'a default role that is none': roleFile(INVITERS, { defaultRole: 'nobody' }),
  'an unknown field': roleFile(INVITERS, { fallback: 'admin' }),
  'a list': '[]',
}

test('with a bad file the server does not start', async () => {
  await using fine = await boot()
  const { dataDir } = fine
  const path = join(dataDir, 'roles.json')
  const load = (source: string) =>
    loadRoleTable(loadConfig({ dataDir, env: { MIMIR_RBAC_CONFIG: source } }).config)
  for (const [what, text] of Object.entries(BAD_FILES)) {
    writeFileSync(path, text)
    await assert.rejects(load(path), /MIMIR_RBAC_CONFIG: /, what)
  }
  await assert.rejects(load(join(dataDir, 'no-such-file')), /cannot be read/)
  await assert.rejects(boot({ env: { MIMIR_RBAC_CONFIG: path } }), /MIMIR_RBAC_CONFIG: /)
})

test('a reload takes a changed file over at once, also on open connections, and keeps the last good one', async () => {
  const calls = { callers: { permissions: ['calls:use'] } }
  await using mimir = await boot({ env: { MIMIR_RBAC_CONFIG: roleFile(calls) } })
  const [ann, gus] = await mimir.friends('ann', 'gus')
  await mimir.command('user.set-role', { user: 'gus', role: 'guest' })
  await mimir.command('role.grant', { user: 'gus', role: 'callers' })
  const hub = await gus.connect()
  await ann.connect()
  const call = () => hub.invoke('OfferCall', ann.id, 'sdp')
  await call()

  for (const text of Object.values(BAD_FILES).filter((one) => one.startsWith('{'))) {
    await assert.rejects(mimir.reload({ MIMIR_RBAC_CONFIG: text }), /MIMIR_RBAC_CONFIG/)
    await call()
  }
  const refused = await auditOf(mimir, 'access.reload_refused')
  assert.equal(refused.length, Object.keys(BAD_FILES).length - 1)

  await mimir.reload({ MIMIR_RBAC_CONFIG: roleFile({ callers: { permissions: [] } }) })
  await hub.assertRefused('forbidden', 'OfferCall', ann.id, 'sdp')
  assert.equal(hub.closed, false)
  await mimir.reload({ MIMIR_RBAC_CONFIG: roleFile(calls) })
  await call()
  assert.equal((await auditOf(mimir, 'access.reloaded')).length, 2)
})

test('the role files of earlier systems are taken as they are', async () => {
  const shipped = roleFile(
    {
      admin: { description: 'all', permissions: ['*'] },
      developer: {
        permissions: [
          ...['nodes:read', 'nodes:write', 'nodes:delete', 'search:execute', 'orchestration:read'],
          ...['orchestration:write', 'orchestration:execute', 'orchestration:cancel'],
          ...['files:index', 'files:read', 'chat:use', 'mcp:*'],
        ],
      },
      analyst: {
        permissions: [
          'nodes:read',
          'search:execute',
          'orchestration:read',
          'files:read',
          'chat:use',
        ],
      },
      viewer: { permissions: ['nodes:read', 'search:execute', 'orchestration:read', 'files:read'] },
    },
    { defaultRole: 'viewer' },
  )
  await using mimir = await boot({ env: { MIMIR_RBAC_CONFIG: shipped } })
  const { roles } = mimir.app.ctx.access.rules().roleTable
  assert.deepEqual([...(roles.get('viewer') ?? [])].sort(), ['attachments:read', 'nodes:read'])
  // A mapping named admin makes nobody an administrator: built-in roles belong to the account.
  const ann = await mimir.admin('ann')
  assertRefused(
    await ann.rest.post('/api/keys', { name: 'x', scopes: ['tenants:manage'] }),
    403,
    'scopes_too_wide',
  )
})
