import { defineXrpcMethod } from '../../xrpc/define-method.ts'
import { fileResponse } from '../attachments/service-bytes.ts'
import { getBlob, uploadBlob } from './blobs.ts'

export const methods = [
  defineXrpcMethod<{ convoId: string; sha256?: string }>({
    nsid: 'blue.catbird.mls.uploadBlob',
    permission: 'mls:use',
    rate: 'attachment-upload',
    async run(ctx, actor, input, { request }) {
      const length = request.headers.get('content-length')
      const { sha256, size } = await uploadBlob(ctx, actor, {
        ...input,
        announced: length === null ? undefined : Number(length),
        content: request.body ?? nothing(),
      })
      const { CID } = await import('multiformats/cid')
      const { create } = await import('multiformats/hashes/digest')
      // CIDv1 of raw bytes by their SHA-256, which is how ATProto names blobs.
      const link = CID.createV1(0x55, create(0x12, Buffer.from(sha256, 'hex')))
      const blob = {
        ...{ $type: 'blob', ref: { $link: link.toString() } },
        ...{ mimeType: 'application/octet-stream', size },
      }
      return { blob, cid: `sha256-${sha256}`, size }
    },
  }),
  defineXrpcMethod<{ convoId: string; cid: string }>({
    nsid: 'blue.catbird.mls.getBlob',
    permission: 'mls:use',
    rate: 'mls-read',
    run: async (ctx, actor, input, { request }) =>
      fileResponse(request, await getBlob(ctx, actor, input)),
  }),
]

async function* nothing(): AsyncGenerator<Uint8Array> {}
