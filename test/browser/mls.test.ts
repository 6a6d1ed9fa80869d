import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HYBRID } from '../../client/mls/suites.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { mlsDevice } from '../harness/mls-client.ts'
import { didOf } from '../harness/mls-people.ts'
import type { Person } from '../harness/people.ts'
import { systemProgram } from '../harness/program.ts'
import { RecordingProxy } from '../harness/recording-proxy.ts'
import { findText } from '../harness/spellings.ts'
import type { Account } from './page.ts'
import { Browser, bundle } from './script-browser.ts'

const { path: program, skip } = systemProgram('chromium')

/** Words that occur nowhere else. */
const WORDS = {
  hello: 'Heliotrope hello of alice',
  answer: 'Quillwort answer of bob',
  file: 'Saxifrage in a file. '.repeat(1000),
  fileName: 'saxifrage-list.txt',
  phone: 'Liverwort from the phone',
  carol: 'Mugwort for carol',
  between: 'Toadflax after the reload',
  last: 'Yarrow after everything',
}

test('browsers hold an encrypted group, lose a device and get it back; the server learns nothing', {
  skip,
}, async () => {
  await using mimir = await boot()
  await using proxy = await RecordingProxy.start(mimir.url)
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const script = bundle('test/browser/page.ts')
  const browse = () => Browser.open(program, proxy.url, script)
  await using laptop = await browse()
  await using bobs = await browse()

  // Two people.
  const secret = await laptop.page.evaluate(() => mls.createSecret())
  const bobsSecret = await bobs.page.evaluate(() => mls.createSecret())
  const laptopAccount = account(mimir, alice, secret, 'laptop')
  const bobsAccount = account(mimir, bob, bobsSecret, 'desktop')
  await laptop.page.evaluate((who) => mls.open(who), laptopAccount)
  await bobs.page.evaluate((who) => mls.open(who), bobsAccount)
  const bobDid = didOf(mimir, bob)
  const id = await laptop.page.evaluate((did) => mls.createGroup([did]), bobDid)
  await bobs.page.evaluate(() => mls.follow())
  await laptop.page.evaluate((it) => mls.send(it), say(id, WORDS.hello))
  await eventually(async () => (await textsOf(bobs, id)).includes(WORDS.hello), 'bob heard nothing')
  await bobs.page.evaluate((it) => mls.send(it), say(id, WORDS.answer))
  await laptop.page.evaluate(() => mls.sync())
  assert.deepEqual(await textsOf(laptop, id), [WORDS.hello, WORDS.answer])
  const { suite } = await factsOf(laptop, id)
  assert.equal(suite, HYBRID)
  const numbers = [
    await laptop.page.evaluate((it) => mls.safetyNumber(it), say(id, bobDid)),
    await bobs.page.evaluate((it) => mls.safetyNumber(it), say(id, didOf(mimir, alice))),
  ]
  assert.equal(numbers[0], numbers[1])

  // An attachment.
  const file = Buffer.from(WORDS.file).toString('base64')
  const sent: [string, string, string] = [id, WORDS.fileName, file]
  await bobs.page.evaluate((it) => mls.sendFile(it), sent)
  await laptop.page.evaluate(() => mls.sync())
  const received = await laptop.page.evaluate((it) => mls.lastFile(it), id)
  assert.deepEqual(received, [WORDS.fileName, file])

  // A third device, which gets the secret from the first one.
  let phoneDevice: { deviceId: string; key: string }
  let archive: string
  {
    await using phone = await browse()
    const request = await phone.page.evaluate(() => mls.requestHandOver())
    const toAnswer: [string, string] = [request, secret]
    const answer = await laptop.page.evaluate((it) => mls.answerHandOver(it), toAnswer)
    const got = await phone.page.evaluate((it) => mls.receiveHandOver(it), answer)
    assert.equal(got, secret)
    const phoneAccount = account(mimir, alice, got, 'phone')
    phoneDevice = await phone.page.evaluate((who) => mls.open(who), phoneAccount)
    await phone.page.evaluate(() => mls.sync())
    await phone.page.evaluate((it) => mls.send(it), say(id, WORDS.phone))
    for (const each of [laptop, bobs, phone]) await each.page.evaluate(() => mls.sync())
    assert.deepEqual(await textsOf(phone, id), [WORDS.phone])
    assert.equal((await textsOf(bobs, id)).at(-1), WORDS.phone)
    await assertSame([laptop, bobs, phone], id)
    const after = await bobs.page.evaluate((it) => mls.safetyNumber(it), say(id, alicesDid()))
    assert.equal(after, numbers[0], 'an endorsed device changes no safety number')
    archive = await laptop.page.evaluate(() => mls.exportArchive())
  }

  // A member is added and removed.
  const carols = await mlsDevice(mimir, carol)
  await laptop.page.evaluate((it) => mls.add(it), say(id, carols.did))
  await laptop.page.evaluate((it) => mls.send(it), say(id, WORDS.carol))
  await carols.sync()
  const heard = await carols.group(id)?.history()
  assert.ok(heard?.some((entry) => entry.kind === 'message' && entry.content.text === WORDS.carol))
  await laptop.page.evaluate((it) => mls.remove(it), say(id, carols.did))
  await carols.sync()
  assert.equal(carols.group(id)?.status, 'removed')

  // The third device is lost entirely; the written-down secret and an archive restore it.
  await using recovered = await browse()
  const newPhone = account(mimir, alice, secret.toLowerCase(), 'new phone')
  await recovered.page.evaluate((who) => mls.open(who), newPhone)
  await recovered.page.evaluate(() => mls.sync())
  await recovered.page.evaluate((it) => mls.importArchive(it), archive)
  assert.deepEqual(await textsOf(recovered, id), [WORDS.hello, WORDS.answer, WORDS.phone])
  await recovered.page.evaluate((it) => mls.removeDevice(it), phoneDevice)
  for (const each of [laptop, bobs]) await each.page.evaluate(() => mls.sync())
  await assertSame([laptop, bobs, recovered], id)
  const { members } = await factsOf(bobs, id)
  assert.deepEqual(
    members.find(({ did }) => did === alicesDid()),
    {
      did: alicesDid(),
      devices: 2,
      endorsed: 2,
    },
  )

  // A reload during a commit: once before the server has it, once before the response arrives.
  for (const reachesServer of [false, true]) {
    await reloadAmidCommit(laptop, id, reachesServer)
    await laptop.page.evaluate((who) => mls.open(who), laptopAccount)
    await laptop.page.evaluate(() => mls.sync())
    for (const each of [bobs, recovered]) await each.page.evaluate(() => mls.sync())
    await assertSame([laptop, bobs, recovered], id)
    await laptop.page.evaluate((it) => mls.send(it), say(id, WORDS.between))
    await bobs.page.evaluate(() => mls.sync())
    assert.equal((await textsOf(bobs, id)).at(-1), WORDS.between)
  }
  await bobs.page.evaluate((it) => mls.send(it), say(id, WORDS.last))
  await laptop.page.evaluate(() => mls.sync())
  assert.deepEqual(await textsOf(laptop, id), [
    WORDS.hello,
    WORDS.answer,
    WORDS.phone,
    WORDS.carol,
    WORDS.between,
    WORDS.between,
    WORDS.last,
  ])
  assert.deepEqual(await bobs.page.evaluate(() => mls.trouble), [])

  // None of it is on the server, nor in plain text in the browser's store.
  const stored = await laptop.page.evaluate(() => mls.stored())
  const places = {
    store: await mimir.stored(),
    logs: Buffer.from(mimir.logged.join('\n')),
    traffic: proxy.recorded,
    browser: Buffer.concat(stored.map((value) => Buffer.from(value, 'base64'))),
  }
  for (const [place, bytes] of Object.entries(places)) {
    for (const [what, text] of Object.entries(WORDS)) {
      const found = findText(bytes, text.slice(0, 60))
      assert.equal(found, undefined, `${what} stands in the ${place} (${found})`)
    }
  }
  // The search works: it finds the group id, which the server may know.
  for (const place of [places.store, places.traffic]) assert.ok(findText(place, id))

  function alicesDid(): string {
    return didOf(mimir, alice)
  }
})

function account(mimir: Appliance, person: Person, secret: string, name: string): Account {
  return { did: didOf(mimir, person), token: person.accessToken, secret, name }
}

function say(id: string, text: string): [string, string] {
  return [id, text]
}

function textsOf({ page }: Browser, id: string): Promise<string[]> {
  return page.evaluate((it) => mls.texts(it), id)
}

function factsOf({ page }: Browser, id: string) {
  return page.evaluate((it) => mls.facts(it), id)
}

async function assertSame(browsers: Browser[], id: string): Promise<void> {
  const [first, ...rest] = await Promise.all(browsers.map((each) => factsOf(each, id)))
  for (const facts of rest) assert.deepEqual(facts, first)
}

/** Reloads the page during its commit, whose outcome it therefore never learns. */
async function reloadAmidCommit(browser: Browser, id: string, reachesServer: boolean) {
  const commits = '**/xrpc/blue.catbird.mls.addMembers'
  const { promise: underWay, resolve } = Promise.withResolvers<void>()
  await browser.page.route(commits, async (route) => {
    if (reachesServer) await route.fetch()
    resolve()
  })
  await browser.page.evaluate((it) => void mls.update(it).catch(() => {}), id)
  await underWay
  await browser.page.unroute(commits)
  await browser.reload()
}
