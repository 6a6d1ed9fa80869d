import { defineXrpcMethod } from '../../../xrpc/define-method.ts'
import { fileResponse } from '../../attachments/service-bytes.ts'
import { getBlob, namesOf, uploadBlob } from '../delivery/blobs.ts'

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
      const { cid, link } = await namesOf(sha256)
      const blob = {
        ...{ $type: 'blob', ref: { $link: link } },
        ...{ mimeType: 'application/octet-stream', size },
      }
      return { blob, cid, size }
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
