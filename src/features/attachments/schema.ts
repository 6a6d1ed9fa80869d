import { z } from 'zod'
import { text, uuid } from '../../platform/text.ts'

/** The most attachments that one message may carry. */
const MAX_ATTACHMENTS = 10

const WAVEFORM_MOST = 256
const WAVEFORM = /^(\d{1,2}|1\d\d|2[0-4]\d|25[0-5])(,(\d{1,2}|1\d\d|2[0-4]\d|25[0-5]))*$/

const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

/** Query parameters with what the client knows of the file, since the server never looks into it. */
export const AttachmentMeta = z
  .object({
    /** Of an image or a video, in pixels. */
    width: whole(1, 65_535).optional(),
    height: whole(1, 65_535).optional(),
    /** A blurhash or the like, to be shown until the file has loaded. */
    preview: text(1, 100).optional(),
    /** Of audio or video, in milliseconds. */
    durationMs: whole(0, 7 * 24 * 3_600_000).optional(),
    /** Of a voice message: up to 256 volume levels from 0 to 255, joined by commas. */
    waveform: z
      .string()
      .max(4 * WAVEFORM_MOST)
      .regex(WAVEFORM, 'numbers from 0 to 255, joined by commas')
      .transform((list) => list.split(',').map(Number))
      .refine((list) => list.length <= WAVEFORM_MOST, `at most ${WAVEFORM_MOST} numbers`)
      .optional(),
  })
  // A waveform cannot be drawn without a duration.
  .refine(({ waveform, durationMs }) => !waveform || durationMs !== undefined, {
    error: 'is required with a waveform',
    path: ['durationMs'],
  })
export type AttachmentMeta = z.output<typeof AttachmentMeta>

export const Attachment = z.strictObject({
  id: uuid,
  name: z.string(),
  /** Bytes. */
  size: z.int(),
  /** As detected and served by the server; `application/octet-stream` if unknown. */
  contentType: z.string(),
  width: z.int().optional(),
  height: z.int().optional(),
  preview: z.string().optional(),
  durationMs: z.int().optional(),
  waveform: z.array(z.int()).optional(),
  /** Present if the stored file cannot be opened. */
  unreadable: z.literal(true).optional(),
})
export type Attachment = z.output<typeof Attachment>

export const AttachmentId = z.object({ id: uuid })
export type AttachmentId = z.output<typeof AttachmentId>

/** The attachments that a message is to carry. */
export const AttachmentIds = z
  .array(uuid)
  .max(MAX_ATTACHMENTS)
  .refine((ids) => new Set(ids).size === ids.length, 'names one twice')
