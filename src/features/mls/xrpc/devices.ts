import { defineXrpcMethod } from '../../../xrpc/define-method.ts'
import { getKeyPackages } from '../devices/hand-out.ts'
import {
  deleteDevice,
  getKeyPackageStats,
  listDevices,
  syncKeyPackages,
} from '../devices/inventory.ts'
import { optIn, optOut } from '../devices/opt.ts'
import { publishKeyPackage, publishKeyPackages, registerDevice } from '../devices/publish.ts'
import type { KeyPackageInput, RegisterDevice } from '../schema.ts'

const id = (name: string) => `blue.catbird.mls.${name}`
const permission = 'mls:use'

/** Enough for a hundred key packages of the hybrid suite. */
const PACKAGES = 4 * 1024 * 1024

export const methods = [
  defineXrpcMethod<KeyPackageInput>({
    nsid: id('publishKeyPackage'),
    permission,
    rate: 'mls-key-packages',
    maxBodyBytes: PACKAGES,
    run: (ctx, actor, input, { bodyHash }) => publishKeyPackage(ctx, actor, input, bodyHash),
  }),
  defineXrpcMethod<{ keyPackages: KeyPackageInput[]; idempotencyKey?: string }>({
    nsid: id('publishKeyPackages'),
    permission,
    rate: 'mls-key-packages',
    maxBodyBytes: PACKAGES,
    run: (ctx, actor, input, { bodyHash }) => publishKeyPackages(ctx, actor, input, bodyHash),
  }),
  defineXrpcMethod<{ dids: string[]; cipherSuite?: string }>({
    nsid: id('getKeyPackages'),
    permission,
    rate: 'mls-other',
    changes: true,
    run: getKeyPackages,
  }),
  defineXrpcMethod<{ deviceId?: string; cipherSuite?: string }>({
    nsid: id('getKeyPackageStats'),
    permission,
    rate: 'mls-other',
    run: getKeyPackageStats,
  }),
  defineXrpcMethod<{ deviceId: string; localHashes: string[] }>({
    nsid: id('syncKeyPackages'),
    permission,
    rate: 'mls-sync',
    run: syncKeyPackages,
  }),
  defineXrpcMethod<RegisterDevice>({
    nsid: id('registerDevice'),
    permission,
    rate: 'mls-device',
    maxBodyBytes: PACKAGES,
    run: (ctx, actor, input, { bodyHash }) => registerDevice(ctx, actor, input, bodyHash),
  }),
  defineXrpcMethod({
    nsid: id('listDevices'),
    permission,
    rate: 'mls-other',
    run: (ctx, actor) => listDevices(ctx, actor),
  }),
  defineXrpcMethod<{ deviceId: string }>({
    nsid: id('deleteDevice'),
    permission,
    rate: 'mls-device',
    run: deleteDevice,
  }),
  defineXrpcMethod<{ invitationToken?: string; friendKey?: string }>({
    nsid: id('optIn'),
    permission,
    rate: 'friend-request',
    admits: true,
    run: (ctx, actor, input, { stranger }) => optIn(ctx, actor, input, stranger),
  }),
  defineXrpcMethod({
    nsid: id('optOut'),
    permission,
    rate: 'mls-other',
    run: (ctx, actor) => optOut(ctx, actor),
  }),
]
