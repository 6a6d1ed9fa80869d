import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromBase64, fromHex, randomBytes, toBase64, toHex, utf8 } from '../../client/bytes.ts'
import { openAttachment, sealAttachment } from '../../client/groups/attachments.ts'
import { answerHandOver, requestHandOver } from '../../client/people/hand-over.ts'
import { safetyNumber } from '../../client/people/safety-number.ts'
import { PersonSecret } from '../../client/people/secret.ts'

test('a secret survives being written down, and a slip of the pen is noticed', async () => {
  const secret = PersonSecret.create()
  const text = await secret.toText()
  assert.match(text, /^([0-9A-HJKMNP-TV-Z]{4}-){8}[0-9A-HJKMNP-TV-Z]{4}$/)
  const slips = [text.toLowerCase(), text.replaceAll('-', ' '), text.replaceAll('0', 'o')]
  for (const spelling of [...slips, ` ${text} `, text.replaceAll('1', 'l')]) {
    assert.deepEqual((await PersonSecret.fromText(spelling)).bytes, secret.bytes)
  }
  for (let at = 0; at < text.length; at += 1) {
    const [before, character, after] = [text.slice(0, at), text[at], text.slice(at + 1)]
    if (character === '-') continue
    const wrong = before + (character === '7' ? '8' : '7') + after
    // The last character has four unused bits.
    if (at === text.length - 1) continue
    await assert.rejects(PersonSecret.fromText(wrong), { code: 'bad-secret' }, wrong)
  }
  await assert.rejects(PersonSecret.fromText(''), { code: 'bad-secret' })
  await assert.rejects(PersonSecret.fromText(`${text}-0000`), { code: 'bad-secret' })
  await assert.rejects(PersonSecret.fromText(text.replace(/./, 'U')), { code: 'bad-secret' })
})

test('what is derived from a secret is always the same, and different for each purpose', async () => {
  // A recorded value: a different derivation would lock people out of their stored data.
  const secret = new PersonSecret(fromHex('000102030405060708090a0b0c0d0e0f10111213'))
  assert.equal(await secret.toText(), '000G-40R4-0M30-E209-185G-R38E-1W81-24GK-WYQ0')
  const { publicKey } = await secret.identity()
  assert.equal(toHex(publicKey), '1796f94f2842346e43ce692caad9820a580b9d965e335d9aa2c1471588b0cf00')
})

test('a hand-over gives the secret to the device that asked, and to nobody else', async () => {
  const secret = PersonSecret.create()
  const asking = await requestHandOver()
  const answer = await answerHandOver(asking.request, secret)
  const other = await requestHandOver()
  await assert.rejects(other.receive(answer), { code: 'unreadable' })
  assert.deepEqual((await asking.receive(answer)).bytes, secret.bytes)
})

test('a hand-over takes no answer of somebody who has not seen the request', async () => {
  const asking = await requestHandOver()
  // All but the last byte is right, the new device's key included, but not all that it displays.
  const seen = fromBase64(asking.request)
  seen[seen.length - 1] = (seen.at(-1) ?? 0) ^ 1
  const forged = await answerHandOver(toBase64(seen), PersonSecret.create())
  await assert.rejects(asking.receive(forged), { code: 'unreadable' })
})

test('a hand-over takes one answer, whether it is good or not', async () => {
  const secret = PersonSecret.create()
  const asking = await requestHandOver()
  const answer = await answerHandOver(asking.request, secret)
  const [first, second] = await Promise.allSettled([asking.receive(answer), asking.receive(answer)])
  assert.equal(first.status, 'fulfilled')
  assert.equal(second.status, 'rejected')
  const tried = await requestHandOver()
  const good = await answerHandOver(tried.request, secret)
  await assert.rejects(tried.receive(good.slice(0, -8)), { code: 'unreadable' })
  await assert.rejects(tried.receive(good), { code: 'unreadable' })
  await assert.rejects(answerHandOver('c2hvcnQ=', secret), { code: 'unreadable' })
})

test('both see the same safety number, and another one for another key', async () => {
  const alice = { did: 'did:web:example.org:u:alice', keys: [randomBytes(32)] }
  const bob = { did: 'did:web:example.org:u:bob', keys: [randomBytes(32), randomBytes(32)] }
  const number = await safetyNumber(alice, bob)
  assert.match(number, /^(\d{5} ){11}\d{5}$/)
  assert.equal(await safetyNumber({ ...bob, keys: bob.keys.toReversed() }, alice), number)
  const changes = [
    safetyNumber(alice, { ...bob, keys: bob.keys.slice(1) }),
    safetyNumber(alice, { ...bob, did: 'did:web:example.org:u:bobby' }),
    safetyNumber({ ...alice, keys: [randomBytes(32)] }, bob),
  ]
  for (const changed of await Promise.all(changes)) assert.notEqual(changed, number)
})

test('an attachment opens by its message alone, and only as it was sent', async () => {
  for (const size of [0, 1, 8183, 8184, 8185, 100_000]) {
    const content = new Uint8Array(size).fill(66)
    const { sealed, pointer } = await sealAttachment(content)
    const attachment = { ...pointer, blob: 'sha256-of-it' }
    assert.deepEqual(await openAttachment(attachment, sealed), content)
    // Apart from AES-GCM's nonce and tag, lengths are multiples of 8 KiB.
    assert.equal((sealed.length - 28) % 8192, 0)
    assert.ok(!Buffer.from(sealed).includes('BBBB'))
  }
  const one = await sealAttachment(utf8('one'))
  const two = await sealAttachment(utf8('two'))
  const mixed = { ...one.pointer, blob: '' }
  await assert.rejects(openAttachment(mixed, two.sealed), { code: 'unreadable' })
  const exchanged = { ...mixed, sha256: two.pointer.sha256 }
  await assert.rejects(openAttachment(exchanged, two.sealed), { code: 'unreadable' })
  await assert.rejects(openAttachment({ ...mixed, size: 2 }, one.sealed), { code: 'unreadable' })
})
