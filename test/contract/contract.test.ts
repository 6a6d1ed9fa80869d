import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CODES } from './rows.ts'
import { matchRoute, readTable, type TableRow } from './table.ts'

const { rows, texts } = readTable()
const namesOf = (some: readonly TableRow[]) => some.map(({ name }) => name)

test('the server has every endpoint, hub method and event of the contract', () => {
  assert.deepEqual(namesOf(rows.filter(({ isServed }) => !isServed)), [])
})

test('every row of the contract, and all else that the server has, is named by a test', () => {
  assert.deepEqual(namesOf(rows.filter(({ uses }) => uses.length === 0)), [])
  console.log(`walked ${rows.length} rows of the contract; npm run contract prints them`)
})

test('every code of the contract is in a test of its row', () => {
  const untested = rows.flatMap(({ name, untestedCodes }) =>
    untestedCodes.map((code) => `${name} ${code}`),
  )
  assert.deepEqual(untested, [])
  assert.deepEqual(
    CODES.filter((code) => !texts.has(code)),
    [],
  )
})

test('a test’s path is matched like a request, so that none is named by another’s test', () => {
  const operations = [
    'GET /api/friends/{userId}',
    'GET /api/friends/blocked',
    'POST /api/friends/{userId}',
  ]
  for (const [asked, answered] of [
    ['GET /api/friends/blocked', 'GET /api/friends/blocked'],
    ['GET /api/friends/{}', 'GET /api/friends/{userId}'],
    ['POST /api/friends/blocked', 'POST /api/friends/{userId}'],
    ['PUT /api/friends/{}', undefined],
    ['GET /api/friends', undefined],
    ['GET /api/friends/', undefined],
    ['GET /api/friends/{}/x', undefined],
  ] as const) {
    assert.equal(matchRoute(asked, operations), answered)
  }
})
