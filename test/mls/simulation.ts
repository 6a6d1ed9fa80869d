import {
  type Group,
  MemoryStore,
  MlsDevice,
  MlsError,
  PersonSecret,
  ServiceError,
  type SuiteName,
  SyncError,
  type Transport,
} from '../../client/index.ts'
import { assertAgreement } from './agreement.ts'
import { ConnectionLost, FlakyTransport } from './flaky-transport.ts'
import { SeededRandom } from './seeded-random.ts'
import { Thief } from './thief.ts'

/** A person in the simulation, as the server knows them. */
export interface Participant {
  readonly did: string
  transport(): Transport
}

/** A device whose store outlives its process, which the simulation kills at will. */
export interface SimulatedDevice {
  readonly did: string
  readonly store: MemoryStore
  readonly secret: PersonSecret
  readonly network: FlakyTransport
  device: MlsDevice
  isOnline: boolean
}

export interface SimulationOptions {
  readonly devicesEach: number
  readonly suites: readonly SuiteName[]
}

/** People with several devices each, who share one group after another and act as the seed determines. */
export class Simulation {
  readonly devices: SimulatedDevice[] = []
  readonly #random = new SeededRandom(1)

  static async start(
    participants: readonly Participant[],
    { devicesEach, suites }: SimulationOptions,
  ): Promise<Simulation> {
    const simulation = new Simulation()
    for (const { did, transport } of participants) {
      const secret = PersonSecret.create()
      for (let count = 0; count < devicesEach; count += 1) {
        const network = new FlakyTransport(transport(), simulation.#random)
        const store = new MemoryStore()
        const device = await open({ did, store, secret, network }, suites)
        simulation.devices.push({ did, store, secret, network, device, isOnline: true })
      }
    }
    return simulation
  }

  /** Runs one group from its creation over `steps` steps until all agree. */
  async run(seed: number, steps: number): Promise<string> {
    const random = new SeededRandom(seed)
    for (const each of this.devices) each.isOnline = true
    const [first, ...rest] = random.sample(this.devices, this.devices.length)
    if (!first) throw new RangeError('nobody is there')
    const members = [...new Set(rest.slice(0, this.devices.length / 3).map(({ did }) => did))]
    const group = await first.device.createGroup({ members })
    const { id } = group
    // A second admin, so that either of them can be removed.
    const second = members.find((did) => did !== first.did)
    if (second) await group.promoteAdmin(second)
    for (const { device } of this.devices) await device.sync()
    const thief = new Thief(id)
    const course = new Course(this, id, random, thief)
    for (let step = 0; step < steps; step += 1) await course.step()
    await this.#comeTogether(id)
    await assertAgreement(this.#membersOf(id), id)
    await thief.assertNothingReadable(this.#membersOf(id)[0])
    return id
  }

  /** Brings everybody online and continues until nobody has anything left to do. */
  async #comeTogether(id: string): Promise<void> {
    for (const each of this.devices) {
      each.network.loss = 0
      each.isOnline = true
      await each.device.sync()
    }
    for (let isMoving = true; isMoving; ) {
      const before = this.#positions(id)
      for (const { device } of this.#membersOf(id)) {
        await device.group(id)?.sync()
        await device.group(id)?.settle()
      }
      isMoving = this.#positions(id) !== before
    }
  }

  #positions(id: string): string {
    return this.devices.map(({ device }) => device.group(id)?.cursor).join()
  }

  #membersOf(id: string): SimulatedDevice[] {
    return this.devices.filter(({ device }) => device.group(id)?.status === 'active')
  }
}

/** The sequence of events in one group. */
class Course {
  readonly #simulation: Simulation
  readonly #id: string
  readonly #random: SeededRandom
  readonly #thief: Thief
  #messages = 0

  constructor(simulation: Simulation, id: string, random: SeededRandom, thief: Thief) {
    this.#simulation = simulation
    this.#id = id
    this.#random = random
    this.#thief = thief
  }

  async step(): Promise<void> {
    const roll = this.#random.next()
    if (roll < 0.12) return this.#comeOrGo()
    if (roll < 0.2) return this.#crash()
    if (roll < 0.35) return this.#atOnce()
    await this.#tolerate(this.#pickActor(), (group, actor) => this.#act(group, actor))
  }

  /** A device goes offline, or returns and catches up. */
  async #comeOrGo(): Promise<void> {
    const each = this.#random.pick(this.#simulation.devices)
    if (!each) return
    each.isOnline = !each.isOnline
    if (each.isOnline) await this.#forgive(() => each.device.sync())
  }

  /** A process dies during a change on a bad network; another continues from its store. */
  async #crash(): Promise<void> {
    const each = this.#pickActor()
    if (!each) return
    each.network.loss = 0.3
    await this.#tolerate(each, (group, actor) => this.#act(group, actor))
    each.network.loss = 0
    each.device = await open(each, each.device.suites)
    await this.#forgive(() => each.device.sync())
  }

  /** Several devices commit in the same epoch while one sends a message. */
  async #atOnce(): Promise<void> {
    const actors = this.#random.sample(this.#actors(), 3)
    await Promise.all(
      actors.map((each, index) =>
        this.#tolerate(each, (group, actor) =>
          index === 0 ? this.#say(group, actor) : this.#commit(group, actor),
        ),
      ),
    )
  }

  #act(group: Group, actor: SimulatedDevice): Promise<unknown> {
    return this.#random.chance(0.6) ? this.#say(group, actor) : this.#commit(group, actor)
  }

  #say(group: Group, { did }: SimulatedDevice): Promise<unknown> {
    this.#messages += 1
    return group.send({ text: `${this.#messages} by ${did}` })
  }

  async #commit(group: Group, actor: SimulatedDevice): Promise<void> {
    const inside = (await group.members()).map(({ did }) => did)
    const everybody = [...new Set(this.#simulation.devices.map(({ did }) => did))]
    const outside = this.#random.pick(everybody.filter((did) => !inside.includes(did)))
    const other = this.#random.pick(inside.filter((did) => did !== actor.did))
    const roll = this.#random.next()
    if (roll < 0.4 && outside) return group.add([outside])
    if (roll < 0.55 && other && inside.length > 2) {
      this.#watch(other)
      return group.remove(other)
    }
    if (roll < 0.65 && inside.length > 2) {
      this.#watch(actor.did)
      return group.leave()
    }
    return group.update()
  }

  /** Copies the keys of a person's devices before they are removed. */
  #watch(did: string): void {
    for (const each of this.#simulation.devices) {
      if (each.did === did) this.#thief.copy(each)
    }
  }

  #pickActor(): SimulatedDevice | undefined {
    return this.#random.pick(this.#actors())
  }

  #actors(): SimulatedDevice[] {
    return this.#simulation.devices.filter(
      ({ device, isOnline }) => isOnline && device.group(this.#id)?.status === 'active',
    )
  }

  async #tolerate(
    actor: SimulatedDevice | undefined,
    act: (group: Group, actor: SimulatedDevice) => Promise<unknown>,
  ): Promise<void> {
    const group = actor?.device.group(this.#id)
    if (!actor || !group) return
    await this.#forgive(() => act(group, actor))
  }

  /** Tolerates expected errors; any other one ends the simulation. */
  async #forgive(act: () => Promise<unknown>): Promise<void> {
    try {
      await act()
    } catch (error) {
      const errors = error instanceof SyncError ? error.failures.map((each) => each.error) : [error]
      if (!errors.every(isPartOfLife)) throw error
    }
  }
}

function isPartOfLife(error: unknown): boolean {
  return (
    error instanceof ConnectionLost ||
    (error instanceof MlsError && error.code === 'not-a-member') ||
    (error instanceof ServiceError && FORGIVEN.includes(error.error))
  )
}

/** Errors for people whose membership or rights ended before they noticed. */
const FORGIVEN = ['NotMember', 'NotAdmin', 'LastAdmin', 'LastMember', 'TargetNotMember']

function open(
  { did, store, secret, network }: Pick<SimulatedDevice, 'did' | 'store' | 'secret' | 'network'>,
  suites: readonly SuiteName[],
): Promise<MlsDevice> {
  return MlsDevice.open({ did, name: 'simulated', secret, store, transport: network, suites })
}
