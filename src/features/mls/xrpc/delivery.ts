import { defineXrpcMethod, defineXrpcSubscription } from '../../../xrpc/define-method.ts'
import { updateCursor } from '../delivery/cursors.ts'
import { getCommits, getMessages } from '../delivery/read.ts'
import { sendMessage } from '../delivery/send.ts'
import { openStream } from '../delivery/stream.ts'
import { getSubscriptionTicket } from '../delivery/tickets.ts'
import { confirmWelcome, getWelcome } from '../delivery/welcomes.ts'
import type { ConvoId, GetCommits, GetMessages, SendMessage } from '../schema.ts'

const id = (name: string) => `blue.catbird.mls.${name}`
const permission = 'mls:use'

/** Enough for a message of 10 MiB in base64. */
const LARGE = 16 * 1024 * 1024

type OfDevice = ConvoId & { readonly deviceId?: string; readonly keyPackageHash?: string }

export const methods = [
  defineXrpcMethod<SendMessage>({
    nsid: id('sendMessage'),
    permission,
    rate: 'mls-send',
    maxBodyBytes: LARGE,
    run: (ctx, actor, input, { bodyHash }) => sendMessage(ctx, actor, input, bodyHash),
  }),
  defineXrpcMethod<GetMessages>({
    nsid: id('getMessages'),
    permission,
    rate: 'mls-read',
    run: getMessages,
  }),
  defineXrpcMethod<GetCommits>({
    nsid: id('getCommits'),
    permission,
    rate: 'mls-read',
    run: getCommits,
  }),
  defineXrpcMethod<OfDevice>({
    nsid: id('getWelcome'),
    permission,
    rate: 'mls-other',
    run: getWelcome,
  }),
  defineXrpcMethod<OfDevice & { success: boolean }>({
    nsid: id('confirmWelcome'),
    permission,
    rate: 'mls-other',
    run: confirmWelcome,
  }),
  defineXrpcMethod<ConvoId & { cursor: string; deviceId?: string }>({
    nsid: id('updateCursor'),
    permission,
    rate: 'mls-cursor',
    run: updateCursor,
  }),
  defineXrpcMethod<{ convoId?: string }>({
    nsid: id('getSubscriptionTicket'),
    permission,
    rate: 'mls-other',
    run: getSubscriptionTicket,
  }),
  defineXrpcSubscription<{ convoId?: string; cursor?: string }>({
    nsid: id('subscribeConvoEvents'),
    permission,
    rate: 'mls-other',
    open: openStream,
  }),
]
