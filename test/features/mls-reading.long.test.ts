import { test } from 'node:test'
import { fuzz } from '../model/mls-fuzz.ts'
import { compareChanged, compareWellFormed } from '../model/mls-wire.ts'

test('a million times bytes of any kind are read or not, and never crash the reading', async () => {
  for (let seed = 1; seed <= 100; seed++) await fuzz(10_000, seed)
})

test('a hundred thousand messages are read as ts-mls reads them, or refused by both', () => {
  compareWellFormed(50_000)
  compareChanged(50_000)
})
