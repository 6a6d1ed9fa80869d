// Script of the test page: the library behind functions whose arguments and results can pass between
// page and test.

import { fromBase64, toBase64, toHex } from '../../client/bytes.ts'
import {
  type Attachment,
  answerHandOver,
  type Group,
  type HandOverRequest,
  HttpTransport,
  MlsDevice,
  PersonSecret,
  requestHandOver,
} from '../../client/index.ts'
import { openIndexedDb } from '../../client/stores/indexed-db.ts'
import type { Store } from '../../client/stores/store.ts'

export interface Account {
  readonly did: string
  readonly token: string
  readonly secret: string
  readonly name: string
}

/** What two devices of one group must agree on. */
export interface GroupFacts {
  readonly status: string
  readonly suite: string
  readonly epoch: number
  readonly secret: string
  readonly members: readonly { did: string; devices: number; endorsed: number }[]
}

class Page {
  #device: MlsDevice | undefined
  #store: Store | undefined
  #asking: HandOverRequest | undefined
  readonly trouble: string[] = []

  async createSecret(): Promise<string> {
    return PersonSecret.create().toText()
  }

  async requestHandOver(): Promise<string> {
    this.#asking = await requestHandOver()
    return this.#asking.request
  }

  async answerHandOver([request, secret]: [string, string]) {
    return answerHandOver(request, await PersonSecret.fromText(secret))
  }

  async receiveHandOver(answer: string) {
    const secret = await this.#asking?.receive(answer)
    if (!secret) throw new Error('nobody has asked')
    return secret.toText()
  }

  async open({ did, token, secret, name }: Account) {
    this.#store = await openIndexedDb(did)
    this.#device = await MlsDevice.open({
      did,
      name,
      secret: await PersonSecret.fromText(secret),
      store: this.#store,
      transport: new HttpTransport({ service: location.origin, token: () => token }),
    })
    return { deviceId: this.#device.deviceId, key: this.#device.key }
  }

  sync(): Promise<void> {
    return this.#opened.sync()
  }

  follow(): void {
    const forever = new AbortController().signal
    const note = (error: unknown) => void this.trouble.push(String(error))
    this.#opened.follow(forever, note).catch(note)
  }

  async createGroup(members: string[]): Promise<string> {
    return (await this.#opened.createGroup({ members })).id
  }

  async send([id, text]: [string, string]): Promise<void> {
    await this.#group(id).send({ text })
  }

  async sendFile([id, name, base64]: [string, string, string]): Promise<void> {
    const group = this.#group(id)
    const attachment = await group.attach(fromBase64(base64), { name })
    await group.send({ attachments: [attachment] })
  }

  /** The newest attachment's name and content. */
  async lastFile(id: string): Promise<[string | undefined, string]> {
    const group = this.#group(id)
    const history = await group.history({ limit: 10_000 })
    const files = history.flatMap((entry): readonly Attachment[] =>
      entry.kind === 'message' ? (entry.content.attachments ?? []) : [],
    )
    const file = files.at(-1)
    if (!file) throw new Error('no attachment')
    return [file.name, toBase64(await group.download(file))]
  }

  add([id, did]: [string, string]): Promise<void> {
    return this.#group(id).add([did])
  }

  remove([id, did]: [string, string]): Promise<void> {
    return this.#group(id).remove(did)
  }

  update(id: string): Promise<void> {
    return this.#group(id).update()
  }

  /** The texts since the device joined, as far as it has read. */
  async texts(id: string): Promise<string[]> {
    const history = await this.#opened.group(id)?.history({ limit: 10_000 })
    return (history ?? []).flatMap((entry) =>
      entry.kind === 'message' && entry.content.text ? [entry.content.text] : [],
    )
  }

  async facts(id: string): Promise<GroupFacts> {
    const group = this.#group(id)
    const members = await group.members()
    return {
      status: group.status,
      suite: group.suite,
      epoch: group.epoch,
      secret: toHex(await group.exportSecret('test')),
      members: members.map(({ did, devices }) => ({
        did,
        devices: devices.length,
        endorsed: devices.filter(({ endorsedBy }) => endorsedBy).length,
      })),
    }
  }

  safetyNumber([id, did]: [string, string]): Promise<string> {
    return this.#opened.safetyNumber(this.#group(id), did)
  }

  removeDevice(device: { deviceId: string; key: string }): Promise<void> {
    return this.#opened.removeDevice(device)
  }

  async exportArchive(): Promise<string> {
    return toBase64(await this.#opened.exportArchive())
  }

  importArchive(base64: string): Promise<void> {
    return this.#opened.importArchive(fromBase64(base64))
  }

  /** All raw values in IndexedDB, in base64. */
  async stored(): Promise<string[]> {
    const store = this.#store
    if (!store) throw new Error('no store')
    const values = await Promise.all((await store.keys('')).map((key) => store.read(key)))
    return values.map((value) => toBase64(value ?? new Uint8Array()))
  }

  get #opened(): MlsDevice {
    if (!this.#device) throw new Error('no device')
    return this.#device
  }

  #group(id: string): Group {
    const group = this.#opened.group(id)
    if (!group) throw new Error(`no group ${id}`)
    return group
  }
}

declare global {
  var mls: Page
}

globalThis.mls = new Page()
