import { test } from 'node:test'
import { killBetweenStatements } from '../model/mls-kill.ts'

test('a server that is killed between two statements of a commit leaves all of it or nothing', () =>
  killBetweenStatements(6))
