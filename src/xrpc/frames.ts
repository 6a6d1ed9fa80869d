/** Encodes frames of an ATProto event stream: a header and a body, both in DAG-CBOR. */
export interface Frames {
  message(type: string, body: object): Uint8Array
  error(body: object): Uint8Array
}

/** The library is loaded when the first stream is opened. */
export async function loadFrames(): Promise<Frames> {
  const { encode } = await import('@ipld/dag-cbor')
  const frame = (header: object, body: object) => Buffer.concat([encode(header), encode(body)])
  return {
    message: (type, body) => frame({ op: 1, t: `#${type}` }, body),
    error: (body) => frame({ op: -1 }, body),
  }
}
