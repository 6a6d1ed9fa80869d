import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { assertRefused } from '../harness/rest.ts'

test('there is no directory of users: its old path says that it is gone', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  assertRefused(await ann.rest.get('/api/users/active'), 410, 'endpoint_removed_adr_016')
  assertRefused(await mimir.rest().get('/api/users/active'), 401, 'unauthorized')
})
