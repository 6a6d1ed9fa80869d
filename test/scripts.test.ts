import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { failedTests } from '../scripts/junit.mjs'
import { LISTED } from '../scripts/lanes.mjs'
import { nodePath, ROOT, runsTypeScript } from '../scripts/setup.mjs'
import { startArguments } from '../scripts/start-arguments.mjs'

test('npm start takes options with and without the -- that npm wants', () => {
  assert.deepEqual(startArguments([]), [])
  assert.deepEqual(startArguments(['127.0.0.1:9000']), ['--listen', '127.0.0.1:9000'])
  assert.deepEqual(startArguments(['[::1]:9000']), ['--listen', '[::1]:9000'])
  const spelledOut = ['--listen', '127.0.0.1:9000', '--verbose']
  assert.deepEqual(startArguments(spelledOut), spelledOut)
  assert.deepEqual(startArguments(['frobnicate']), ['frobnicate'])
})

test('the sources run on a Node that strips types, and package.json asks for one', () => {
  const good = ['22.18.0', '22.22.1', '23.6.0', '24.0.0', '26.1.0']
  assert.deepEqual(good.filter(runsTypeScript), good)
  assert.deepEqual(['20.19.0', '22.0.0', '22.17.9', '23.5.0'].filter(runsTypeScript), [])
  const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  assert.equal(engines.node, '^22.18 || >=23.6')
})

test('every file and folder that the lanes of npm test name exists', () => {
  const missing = LISTED.filter((path) => !existsSync(`${ROOT}${path}`))
  assert.deepEqual(missing, [])
})

test('the reports of both runners name the tests that failed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mimir-junit-'))
  const report = join(folder, 'report.xml')
  const bun = `<testcase name="a &gt; b" classname="" file="test/a.test.ts" line="3">
      <failure type="Error" message="no">no</failure></testcase>
    <testcase name="good" classname="" file="test/a.test.ts" />
    <testcase name="later" file="test/a.test.ts"><skipped /></testcase>`
  const node = `<testcase name="c" file="${ROOT}test/b.test.ts" failure="1 > 2">
      <failure type="testCodeFailure" message="1 > 2"></failure></testcase>`
  try {
    for (const [text, failed] of [
      [bun, { name: 'a > b', file: 'test/a.test.ts' }],
      [node, { name: 'c', file: 'test/b.test.ts' }],
    ] as const) {
      writeFileSync(report, text)
      assert.deepEqual(failedTests(report, ROOT), [failed])
    }
    assert.deepEqual(failedTests(join(folder, 'none.xml'), ROOT), [])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('what npm test started ends with it when nobody reads its output any more', async () => {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const connect = `require('node:net').connect(${port}, '127.0.0.1')`
  const parent = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(connect)}]); ${connect}`
  const program = `
    import { exitEarly, start } from ${JSON.stringify(`${ROOT}scripts/children.mjs`)}
    exitEarly(async () => process.stderr.write('cleaned up'))
    start(process.execPath, ['-e', ${JSON.stringify(parent)}], { stdio: 'ignore' })
    setInterval(() => console.log('a line'), 10)`
  const args = ['--input-type=module', '--eval', program]
  const runner = spawn(nodePath() as string, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  try {
    let told = ''
    runner.stderr.setEncoding('utf8').on('data', (text: string) => {
      told += text
    })
    while (sockets.length < 2) await once(server, 'connection')
    const ends = sockets.map((socket) => once(socket.resume(), 'close'))
    const closed = once(runner, 'close')
    runner.stdout.destroy()
    const [status] = await closed
    await Promise.all(ends)
    assert.deepEqual([status, told], [128 + 13, 'cleaned up'])
  } finally {
    runner.kill('SIGKILL')
    server.close()
  }
})
