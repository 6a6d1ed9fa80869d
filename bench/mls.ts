import type { Bytes } from '../client/bytes.ts'
import { DeliveryService } from '../client/delivery/delivery-service.ts'
import { HttpTransport } from '../client/delivery/http-transport.ts'
import { MlsDevice } from '../client/device/device.ts'
import { loadIdentity } from '../client/device/identity.ts'
import { createKeyPackage, toPublished } from '../client/device/key-packages.ts'
import type { Group } from '../client/groups/group.ts'
import { sealMessage } from '../client/groups/outbox.ts'
import { CLASSICAL } from '../client/mls/suites.ts'
import { PersonSecret } from '../client/people/secret.ts'
import { MemoryStore } from '../client/stores/memory.ts'
import { createUlid } from '../client/ulid.ts'
import { type CpuShares, runningMs, startCpuWindow } from './proc-stats.ts'
import { median } from './quantile.ts'

export interface MlsJob {
  readonly kind: 'mls'
  readonly origin: string
  readonly serverPid: number
  /** Friends of the first one, who adds all the others. */
  readonly members: readonly { readonly username: string; readonly token: string }[]
  /** How many times everybody is added to a new group. */
  readonly additions: number
  readonly messages: number
}

export interface MlsResult extends CpuShares {
  /** Milliseconds that `addMembers` takes with everybody at once, seen by the caller. */
  readonly addMs: number
  /** Milliseconds of it that the server ran. */
  readonly addServerMs: number
  readonly handOutsPerSecond: number
  /** Milliseconds the server runs per hand-out. */
  readonly handOutServerMs: number
  readonly messagesPerSecond: number
  /** Seconds to read all messages, page by page. */
  readonly catchUpSeconds: number
}

/** People whose key packages are handed out one by one, and how many each has. */
const OWNERS = 20
const STOCK = 40
/** Requests in flight. */
const IN_FLIGHT = 8

/**
 * The delivery service with real key packages, commits and messages. All messages carry one ciphertext
 * under different ids: the server cannot tell, and encrypting each would limit the generator.
 */
export async function runMls(job: MlsJob): Promise<MlsResult> {
  const prefix = `${await serviceDid(job.origin)}:u:`
  const people = job.members.map(({ username, token }) => ({
    did: prefix + username,
    transport: new HttpTransport({ service: job.origin, token: () => token }),
  }))
  const [founder, ...others] = people
  if (!founder) throw new Error('a group needs somebody')
  await inTurns(others, (person) => publish(person, 0))
  const device = await MlsDevice.open({
    did: founder.did,
    name: 'bench',
    secret: PersonSecret.create(),
    store: new MemoryStore(),
    transport: founder.transport,
    suites: [CLASSICAL],
  })
  const service = new DeliveryService(founder.transport)
  const dids = others.map(({ did }) => did)

  const add = await measureAdditions(device, founder.transport, dids, job)
  await inTurns(others.slice(0, OWNERS), (person) => publish(person, STOCK))
  const handOuts = await measureHandOuts(service, dids.slice(0, OWNERS), job.serverPid)
  const group = device.groups.at(-1)
  if (!group) throw new Error('there is no group')
  const endWindow = startCpuWindow(job.serverPid)
  const messagesPerSecond = await measureMessages(service, group, job.messages)
  const { shares } = endWindow()
  const catchUpSeconds = await measureCatchUp(service, group, job.messages)
  return { ...add, ...handOuts, messagesPerSecond, catchUpSeconds, ...shares }
}

interface Person {
  readonly did: string
  readonly transport: HttpTransport
}

async function serviceDid(origin: string): Promise<string> {
  const { id } = (await (await fetch(`${origin}/.well-known/did.json`)).json()) as { id: string }
  return id
}

/** A device with a last-resort key package, which any number of groups may use, and `count` others. */
async function publish({ did, transport }: Person, count: number): Promise<void> {
  const person = { did, name: 'bench', secret: PersonSecret.create() }
  const identity = await loadIdentity(new MemoryStore(), person)
  const packages = [await createKeyPackage(identity, CLASSICAL, Date.now(), true)]
  for (let made = 0; made < count; made += 1) {
    packages.push(await createKeyPackage(identity, CLASSICAL, Date.now()))
  }
  const published = packages.map(toPublished)
  const service = new DeliveryService(transport)
  await service.registerDevice('bench', published, createUlid(Date.now()))
}

async function measureAdditions(
  device: MlsDevice,
  transport: HttpTransport,
  dids: readonly string[],
  { additions, serverPid }: MlsJob,
) {
  const times: number[] = []
  const running: number[] = []
  const procedure = transport.procedure.bind(transport)
  transport.procedure = async (nsid, body) => {
    const started = performance.now()
    const ran = runningMs(serverPid)
    const answer = await procedure(nsid, body)
    if (nsid.endsWith('.addMembers')) {
      times.push(performance.now() - started)
      running.push(runningMs(serverPid) - ran)
    }
    return answer
  }
  for (let round = 0; round < additions; round += 1) {
    const group = await device.createGroup({ members: [] })
    await group.add(dids)
  }
  transport.procedure = procedure
  return { addMs: median(times), addServerMs: median(running) }
}

async function measureHandOuts(
  service: DeliveryService,
  dids: readonly string[],
  serverPid: number,
) {
  const requests = dids.flatMap((did) => Array.from({ length: STOCK }, () => did))
  const started = performance.now()
  const ran = runningMs(serverPid)
  let taken = 0
  await inTurns(requests, async (did) => {
    const { packages } = await service.takeKeyPackages([did], CLASSICAL)
    // Read only now: other workers have counted since this request was sent.
    taken += packages.length
  })
  const handOutServerMs = (runningMs(serverPid) - ran) / taken
  return { handOutsPerSecond: taken / seconds(started), handOutServerMs }
}

async function measureMessages(service: DeliveryService, group: Group, count: number) {
  const { snapshot } = group
  if (!snapshot.state) throw new Error('the group is not active')
  const content = { text: 'The quick brown fox jumps over the lazy dog.' }
  const envelope = { id: createUlid(Date.now()), sentAt: new Date().toISOString(), content }
  const { outgoing } = await sealMessage({ ...snapshot, state: snapshot.state }, envelope)
  const ciphertext: Bytes = Uint8Array.from(Buffer.from(outgoing.ciphertext, 'base64'))
  const ids = Array.from({ length: count }, () => createUlid(Date.now()))
  const started = performance.now()
  await inTurns(ids, (msgId) =>
    service.sendMessage({ convoId: group.id, msgId, ciphertext, epoch: group.epoch }),
  )
  return count / seconds(started)
}

async function measureCatchUp(service: DeliveryService, group: Group, count: number) {
  const started = performance.now()
  let read = 0
  for (let since = group.cursor, hasMore = true; hasMore; ) {
    const page = await service.getLog(group.id, since)
    since = page.entries.at(-1)?.seq ?? since
    read += page.entries.length
    hasMore = page.hasMore
  }
  if (read !== count) throw new Error(`read ${read} messages of ${count}`)
  return seconds(started)
}

const seconds = (started: number) => (performance.now() - started) / 1000

/** Works through a list, `IN_FLIGHT` items at a time. */
async function inTurns<T>(list: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const rest = list.values()
  const workers = Array.from({ length: IN_FLIGHT }, async () => {
    for (const item of rest) await work(item)
  })
  await Promise.all(workers)
}
