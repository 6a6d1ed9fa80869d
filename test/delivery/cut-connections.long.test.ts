import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { checkDelivery } from './cut-connections.ts'

test('two minutes of connections cut every second miss nothing and hear nothing twice', async () => {
  await using mimir = await boot()
  await checkDelivery(mimir, 120)
})
