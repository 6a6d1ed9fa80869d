import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { checkDelivery } from './cut-connections.ts'

test('connections cut every second, with JSON and MessagePack, with and without stateful reconnect, miss nothing and hear nothing twice', async () => {
  await using mimir = await boot()
  await checkDelivery(mimir, 4)
})
