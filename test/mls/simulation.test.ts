import { test } from 'node:test'
import { CLASSICAL, SUITES, type SuiteName } from '../../client/mls/suites.ts'
import { boot } from '../harness/boot.ts'
import { mlsTransport } from '../harness/mls-client.ts'
import { didOf } from '../harness/mls-people.ts'
import { Simulation } from './simulation.ts'

const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin']
const STEPS = 30

for (const first of [1, 6, 11, 16]) {
  const seeds = Array.from({ length: 5 }, (_, number) => first + number)
  test(`five people with two devices each agree, whatever happens: seeds ${seeds}`, () =>
    simulate(NAMES, [CLASSICAL], seeds))
}

test('so they do with the hybrid suite', () => simulate(NAMES.slice(0, 3), SUITES, [100, 101]))

async function simulate(
  names: readonly string[],
  suites: readonly SuiteName[],
  seeds: readonly number[],
): Promise<void> {
  await using mimir = await boot()
  const people = await mimir.friends(...names)
  const participants = people.map((person) => ({
    did: didOf(mimir, person),
    transport: () => mlsTransport(mimir, person),
  }))
  const simulation = await Simulation.start(participants, { devicesEach: 2, suites })
  for (const seed of seeds) {
    try {
      await simulation.run(seed, STEPS)
    } catch (cause) {
      throw new Error(`seed ${seed}`, { cause })
    }
  }
}
