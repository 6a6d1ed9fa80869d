import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CODES } from './rows.ts'
import { matchRoute, readTable, type TableRow } from './table.ts'
import { parse, usesIn } from './uses.ts'

const { rows, texts } = readTable()
const namesOf = (some: readonly TableRow[]) => some.map(({ name }) => name)

test('the server has every endpoint, hub method and event of the contract', () => {
  assert.deepEqual(namesOf(rows.filter(({ isServed }) => !isServed)), [])
})

test('every row of the contract, and all else that the server has, is named by a test', () => {
  assert.deepEqual(namesOf(rows.filter(({ uses }) => uses.length === 0)), [])
  console.log(`walked ${rows.length} rows of the contract; npm run contract prints them`)
})

test('every method and event of the hub is described in docs/hub.md', () => {
  const page = readFileSync(new URL('../../docs/hub.md', import.meta.url), 'utf8')
  const described = new Set([...page.matchAll(/`(\w+)[`(]/g)].map(([, name]) => name))
  const ofTheHub = rows.filter(({ kind }) => kind !== 'endpoint')
  assert.deepEqual(
    namesOf(ofTheHub).filter((name) => !described.has(name)),
    [],
  )
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

test('only a call names a row: neither a comment, nor a text, nor a name that means something else', () => {
  const source = `
    const path = '/api/own'
    const of = (id: string) => \`/api/of/\${id}/more\`
    // rest.get('/api/comment')
    const text = "rest.get('/api/text')"
    function one(path: string) { return rest.get(path) }
    function two() {
      const path = \`/api/inner/\${id}?limit=1\`
      return rest.post(path, { path: '/api/body' })
    }
    for (const path of ['/api/loop']) rest.delete(path)
    rest.get(path)
    rest.put(of(bob.id), {})
    rest.send('PATCH', \`\${path}/deeper\`)
    fetch(\`\${url}/api/fetched\`, { method: 'DELETE' })
    fetch(url + '/api/plain')
    names.includes('Typing')
    hub.invoke('React', id)
    hub.assertRefused('not_found', 'EditMessage', id)
    hub.event('MessageEdited')
  `
  const uses = usesIn(parse('example.test.ts', source))
  assert.deepEqual(
    uses.map(({ name }) => name),
    [
      'POST /api/inner/{}',
      'GET /api/own',
      'PUT /api/of/{}/more',
      'PATCH /api/own/deeper',
      'DELETE /api/fetched',
      'GET /api/plain',
      'React',
      'EditMessage',
      'MessageEdited',
    ],
  )
  assert.deepEqual(uses[0], {
    kind: 'endpoint',
    name: 'POST /api/inner/{}',
    file: 'example.test.ts',
    line: 9,
  })
})
