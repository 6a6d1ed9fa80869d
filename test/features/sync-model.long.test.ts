import { test } from 'node:test'
import { checkSync } from '../model/sync-model.ts'

test('a thousand histories of devices that come and go', async () => {
  await checkSync(1000)
})
