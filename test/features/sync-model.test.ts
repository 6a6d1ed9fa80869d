import { test } from 'node:test'
import { checkSync } from '../model/sync-model.ts'

test('whatever happens while devices come and go, each shows what the server has', async () => {
  await checkSync(50)
})
