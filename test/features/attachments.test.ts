import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { download, PNG, rowsOf, upload } from '../harness/attachments.ts'
import { boot } from '../harness/boot.ts'

import { assertDone, assertRefused } from '../harness/rest.ts'

const CHUNK = 256 * 1024

test('a file comes back as it was sent, whole and in part, whatever its size', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  for (const size of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 77]) {
    const bytes = randomBytes(size)
    const attachment = assertDone(await upload(mimir, alice, bytes), 201)
    assert.equal(attachment.size, size)
    const whole = await download(mimir, alice, attachment.id)
    assert.equal(whole.status, 200)
    assert.ok(whole.bytes.equals(bytes), `${size} bytes`)
    if (size === 0) continue
    const middle = Math.floor(size / 2)
    for (const [range, start, end] of [
      ['bytes=0-0', 0, 1],
      [`bytes=${size - 1}-`, size - 1, size],
      ['bytes=-1', size - 1, size],
      [`bytes=${middle}-${size + 99}`, middle, size],
      [`bytes=-${size + 99}`, 0, size],
      [`bytes = 0-${middle}`, 0, Math.min(size, middle + 1)],
    ] as const) {
      const part = await download(mimir, alice, attachment.id, { range })
      assert.equal(part.status, 206, `${range} of ${size}`)
      assert.ok(part.bytes.equals(bytes.subarray(start, end)), `${range} of ${size}`)
      assert.equal(part.headers.get('content-range'), `bytes ${start}-${end - 1}/${size}`)
    }
  }
})

test('a range that is not there is refused, and what is no single range is answered whole', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { id } = assertDone(await upload(mimir, alice, Buffer.from('0123456789')), 201)
  for (const range of ['bytes=10-', 'bytes=99-100', 'bytes=-0', 'bytes=5-4', 'bytes=x', 'bytes=']) {
    const reply = await alice.rest.with({ range }).get(`/api/attachments/${id}`)
    assertRefused(reply, 416, 'range_not_satisfiable')
    assert.equal(reply.headers.get('content-range'), 'bytes */10')
  }
  for (const headers of [
    { range: 'bytes=0-1,4-5' },
    { range: 'lines=1-2' },
    { range: 'bytes=0-1', 'if-range': '"x"' },
  ]) {
    const whole = await download(mimir, alice, id, headers as Record<string, string>)
    assert.equal(whole.status, 200)
    assert.equal(whole.bytes.toString(), '0123456789')
  }
})

test('HEAD tells what GET would send, and sends nothing', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { id } = assertDone(await upload(mimir, alice, randomBytes(CHUNK + 5)), 201)
  const head = await fetch(`${mimir.url}/api/attachments/${id}`, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${alice.accessToken}` },
  })
  assert.equal(head.status, 200)
  assert.equal(head.headers.get('content-length'), String(CHUNK + 5))
  assert.equal(head.headers.get('accept-ranges'), 'bytes')
  assert.equal((await head.arrayBuffer()).byteLength, 0)
})

test('only types known to be safe are shown, found by the bytes and not by what the client says', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const files: [bytes: Buffer, declared: string, served: string][] = [
    [PNG, 'text/html', 'image/png'],
    [Buffer.from('ffd8ffe000104a464946', 'hex'), '', 'image/jpeg'],
    [Buffer.from('GIF89a....'), '', 'image/gif'],
    [Buffer.from('RIFF....WEBPVP8 '), '', 'image/webp'],
    [Buffer.from('RIFF....WAVEfmt '), '', 'audio/wav'],
    [Buffer.from('\0\0\0\x20ftypisom....'), '', 'video/mp4'],
    [Buffer.from('\0\0\0\x20ftypM4A ....'), '', 'audio/mp4'],
    [Buffer.from('\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm', 'latin1'), 'audio/webm', 'audio/webm'],
    [Buffer.from('\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm', 'latin1'), '', 'video/webm'],
    [Buffer.from(`OggS${'\0'.repeat(24)}OpusHead`), 'audio/ogg; codecs=opus', 'audio/ogg'],
    [Buffer.from('fLaC....'), '', 'audio/flac'],
    [Buffer.from('ID3\x04....'), '', 'audio/mpeg'],
    [Buffer.from('fffb9064', 'hex'), '', 'audio/mpeg'],
    [Buffer.from('fff15080', 'hex'), '', 'audio/aac'],
    [Buffer.from('<script>alert(1)</script>'), 'image/png', 'application/octet-stream'],
    [
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg">'),
      'image/svg+xml',
      'application/octet-stream',
    ],
    [Buffer.from('%PDF-1.7'), 'application/pdf', 'application/octet-stream'],
    [Buffer.from('\xff\xfet\0e\0x\0t\0', 'latin1'), 'text/plain', 'application/octet-stream'],
    [Buffer.from('\x1a\x45\xdf\xa3\x42\x82\x88matroska', 'latin1'), '', 'application/octet-stream'],
  ]
  for (const [bytes, declared, served] of files) {
    const reply = await upload(mimir, alice, bytes, declared ? { 'content-type': declared } : {})
    const { id, contentType } = assertDone(reply, 201)
    assert.equal(contentType, served, bytes.toString('latin1', 0, 20))
    const { headers } = await download(mimir, alice, id)
    assert.equal(headers.get('content-type'), served)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('content-security-policy'), "sandbox; default-src 'none'")
    const kind = served === 'application/octet-stream' ? 'attachment' : 'inline'
    assert.match(headers.get('content-disposition') ?? '', new RegExp(`^${kind}; `))
  }
})

test('the name comes back in both forms, without a path and tricks, or is refused', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const named = (headers: Record<string, string>) => upload(mimir, alice, PNG, headers)
  for (const [headers, name] of [
    [{ 'x-file-name': encodeURIComponent('Özet "1"; 100%.pdf') }, 'Özet "1"; 100%.pdf'],
    [{ 'x-file-name': '..%2F..%2Fetc%2Fpasswd' }, 'passwd'],
    [{ 'x-file-name': 'C%3A%5Ctemp%5Ca.png' }, 'a.png'],
    [{ 'x-file-name': 'photo%E2%80%AEgnp.exe' }, 'photognp.exe'],
    [{ 'content-disposition': 'attachment; filename="a \\"b\\".png"' }, 'a "b".png'],
    [{ 'content-disposition': "attachment; filename=x; filename*=UTF-8''%C3%A9.png" }, 'é.png'],
    [{}, 'file'],
  ] as const) {
    const attachment = assertDone(await named(headers as Record<string, string>), 201)
    assert.equal(attachment.name, name)
    const { headers: answer } = await download(mimir, alice, attachment.id)
    const [, ascii, exact] =
      /^inline; filename="([ !#-[\]-~]*)"; filename\*=UTF-8''([\w%.!#$&+^`|~-]+)$/.exec(
        answer.get('content-disposition') ?? '',
      ) ?? []
    assert.equal(decodeURIComponent(exact ?? ''), name)
    assert.equal(ascii?.length, name.length)
  }
  for (const bad of ['%00', 'a%0Ab', '%FF', '%', 'x'.repeat(256), '%20', '.%2F', '.', 'a%2F..']) {
    const reply = await named({ 'x-file-name': bad })
    assertRefused(reply, 400, 'validation_failed')
    assert.ok(reply.body.fields.name, bad)
  }
  assert.equal((await rowsOf(mimir)).attachments.length, 7)
})

test('what the client made for showing it comes back with it', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const image = assertDone(
    await upload(mimir, alice, PNG, {}, '?width=640&height=480&preview=LEHV6nWB2yk8'),
    201,
  )
  const { id, ...rest } = image
  assert.deepEqual(rest, {
    name: 'file',
    size: PNG.length,
    contentType: 'image/png',
    width: 640,
    height: 480,
    preview: 'LEHV6nWB2yk8',
  })
  const voice = await upload(mimir, alice, PNG, {}, '?durationMs=1500&waveform=0,12,255')
  assert.equal(assertDone(voice, 201).durationMs, 1500)
  assert.deepEqual(voice.body.waveform, [0, 12, 255])
  for (const [query, field] of [
    ['waveform=256', 'waveform'],
    ['waveform=1,,2', 'waveform'],
    [`waveform=${Array(257).fill(1)}`, 'waveform'],
    ['width=0', 'width'],
    ['height=70000', 'height'],
    [`preview=${'x'.repeat(101)}`, 'preview'],
    ['durationMs=-1', 'durationMs'],
  ] as const) {
    const reply = await upload(mimir, alice, PNG, {}, `?${query}`)
    assertRefused(reply, 400, 'validation_failed')
    assert.ok(reply.body.fields[field], query)
  }
})

test('an upload is its maker’s alone until it is sent, and can be taken back until then', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const { id } = assertDone(await upload(mimir, alice, PNG), 201)
  const path = `/api/attachments/${id}`
  assertRefused(await bob.rest.get(path), 404, 'not_found')
  assertRefused(await bob.rest.delete(path), 404, 'not_found')
  assertDone(await alice.rest.delete(path), 204)
  assertRefused(await alice.rest.get(path), 404, 'not_found')
  assertRefused(await alice.rest.delete(path), 404, 'not_found')
  assert.deepEqual(await rowsOf(mimir), { attachments: [], chunks: [], links: [] })
})
