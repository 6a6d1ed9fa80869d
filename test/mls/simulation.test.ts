import { test } from 'node:test'
import { CLASSICAL, SUITES } from '../../client/mls/suites.ts'
import { boot } from '../harness/boot.ts'
import { didOf, mlsTransport } from '../harness/mls-client.ts'
import { Simulation } from './simulation.ts'

const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin'] as const
const SEEDS = 20
const STEPS = 40

test('five people with two devices each agree on what was said, whatever happens', async () => {
  await using mimir = await boot()
  const people = await mimir.friends(...NAMES)
  const participants = people.map((person) => ({
    did: didOf(mimir, person),
    transport: () => mlsTransport(mimir, person),
  }))
  const options = { devicesEach: 2, suites: [CLASSICAL] }
  const simulation = await Simulation.start(participants, options)
  for (let seed = 1; seed <= SEEDS; seed += 1) await run(simulation, seed)
})

test('so they do with the hybrid suite', async () => {
  await using mimir = await boot()
  const people = await mimir.friends('alice', 'bob', 'carol')
  const participants = people.map((person) => ({
    did: didOf(mimir, person),
    transport: () => mlsTransport(mimir, person),
  }))
  const simulation = await Simulation.start(participants, { devicesEach: 2, suites: SUITES })
  for (let seed = 100; seed < 103; seed += 1) await run(simulation, seed)
})

async function run(simulation: Simulation, seed: number): Promise<void> {
  try {
    await simulation.run(seed, STEPS)
  } catch (cause) {
    throw new Error(`seed ${seed}`, { cause })
  }
}
