import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { runsTypeScript } from '../scripts/setup.mjs'
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
