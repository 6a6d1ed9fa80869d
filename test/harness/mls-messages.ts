import assert from 'node:assert/strict'
import {
  type CiphersuiteImpl,
  type ClientState,
  createApplicationMessage,
  decodeMlsMessage,
  encodeMlsMessage,
  type KeyPackage,
  type MLSMessage,
  type Proposal,
} from 'ts-mls'
import { defaultClientConfig } from 'ts-mls/clientConfig.js'

export function encode(message: MLSMessage): string {
  return Buffer.from(encodeMlsMessage(message)).toString('base64')
}

export function decode(text: string): MLSMessage {
  const decoded = decodeMlsMessage(Buffer.from(text, 'base64'), 0)
  assert.ok(decoded, 'not an MLS message')
  return decoded[0]
}

export function addsOf(packages: readonly KeyPackage[]): Proposal[] {
  return packages.map((keyPackage): Proposal => ({ proposalType: 'add', add: { keyPackage } }))
}

/** Encrypts a text so that the message has exactly `bucket` bytes, by padding inside the encryption. */
export async function sealPadded(
  state: ClientState,
  suite: CiphersuiteImpl,
  text: string,
  bucket: number,
): Promise<{ message: Buffer; newState: ClientState }> {
  const pad = async (paddingLength: number) => {
    const clientConfig = {
      ...defaultClientConfig,
      paddingConfig: { kind: 'alwaysPad' as const, paddingLength },
    }
    const bytes = new TextEncoder().encode(text)
    const { newState, privateMessage } = await createApplicationMessage(
      { ...state, clientConfig },
      bytes,
      suite,
    )
    const message = encodeMlsMessage({
      version: 'mls10',
      wireformat: 'mls_private_message',
      privateMessage,
    })
    return { message: Buffer.from(message), newState }
  }
  let padding = bucket - (await pad(0)).message.length
  // Changing the padding may change the size of its length prefix.
  let made = await pad(padding)
  while (made.message.length !== bucket) {
    padding += bucket - made.message.length
    made = await pad(padding)
  }
  return made
}
