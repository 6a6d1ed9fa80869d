import { test } from 'node:test'
import { CLASSICAL } from '../../client/mls/suites.ts'
import { boot } from '../harness/boot.ts'
import { mlsTransport } from '../harness/mls-client.ts'
import { didOf } from '../harness/mls-people.ts'
import { Simulation } from './simulation.ts'

const PEOPLE = 20
const STEPS = 150
const SEEDS = Number(process.env.MIMIR_SIM_SEEDS ?? 3)

// `npm run sim`: sixty devices; MIMIR_SIM_SEEDS sets the number of runs.
test('twenty people with three devices each agree on what was said', async () => {
  await using mimir = await boot()
  const names = Array.from({ length: PEOPLE }, (_, number) => `person${number}`)
  const people = await mimir.friends(...names)
  const participants = people.map((person) => ({
    did: didOf(mimir, person),
    transport: () => mlsTransport(mimir, person),
  }))
  const options = { devicesEach: 3, suites: [CLASSICAL] }
  const simulation = await Simulation.start(participants, options)
  for (let seed = 1000; seed < 1000 + SEEDS; seed += 1) {
    const started = performance.now()
    await simulation.run(seed, STEPS)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`seed ${seed}: ${STEPS} steps agreed upon in ${seconds} s`)
  }
})
