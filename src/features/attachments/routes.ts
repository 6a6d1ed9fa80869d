import { defineRoute } from '../../http/define-route.ts'
import { commonErrors } from '../../platform/errors.ts'
import { openAttachment } from './download.ts'
import { attachmentErrors } from './errors.ts'
import { fileNameOf } from './file-name.ts'
import { deleteAttachment } from './remove.ts'
import { fileResponse } from './response.ts'
import { Attachment, AttachmentId, AttachmentMeta } from './schema.ts'
import { uploadAttachment } from './upload.ts'

export const routes = [
  defineRoute({
    method: 'post',
    path: '/api/attachments',
    summary:
      'Upload a file to be sent with a message; its name in X-File-Name (UTF-8, percent-encoded)',
    permission: 'attachments:write',
    rate: 'attachment-upload',
    query: AttachmentMeta,
    bytes: 'request',
    status: 201,
    output: Attachment,
    errors: [
      commonErrors.payloadTooLarge,
      attachmentErrors.quotaExceeded,
      attachmentErrors.uploadCut,
    ],
    run: (ctx, actor, meta, { headers, body }) => {
      const length = headers.get('content-length')
      return uploadAttachment(ctx, actor, {
        meta,
        name: fileNameOf(headers),
        declaredType: headers.get('content-type')?.toLowerCase() ?? '',
        announced: length === null ? undefined : Number(length),
        content: body ?? nothing(),
      })
    },
  }),
  defineRoute({
    method: 'get',
    path: '/api/attachments/{id}',
    summary: 'The file, or the part of it that Range asks for',
    permission: 'attachments:read',
    rate: 'unlimited',
    params: AttachmentId,
    bytes: 'response',
    status: 200,
    output: null,
    also: { 206: null },
    errors: [
      commonErrors.notFound,
      attachmentErrors.rangeNotSatisfiable,
      attachmentErrors.unreadable,
    ],
    run: async (ctx, actor, input, request) =>
      fileResponse(request, await openAttachment(ctx, actor, input)),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/attachments/{id}',
    summary: 'Delete an upload that was not sent',
    permission: 'attachments:write',
    rate: 'unlimited',
    params: AttachmentId,
    status: 204,
    output: null,
    errors: [commonErrors.notFound, attachmentErrors.alreadySent],
    run: deleteAttachment,
  }),
]

async function* nothing(): AsyncGenerator<Uint8Array> {}
