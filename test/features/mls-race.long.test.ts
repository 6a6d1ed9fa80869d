import { test } from 'node:test'
import { raceCommits } from '../model/mls-race.ts'

test('of 50 concurrent commits in one epoch exactly one is accepted, 200 times over', () =>
  raceCommits(200))
