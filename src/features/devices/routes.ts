import { z } from 'zod'
import { defineRoute } from '../../http/define-route.ts'
import { deviceErrors } from './errors.ts'
import { AddSubscription, Device, DeviceToken, RegisterDevice, SubscriptionId } from './schema.ts'
import { listMyDevices, registerDevice, removeDevice } from './service.ts'
import { addSubscription, removeSubscription } from './subscriptions.ts'

export const routes = [
  defineRoute({
    method: 'post',
    path: '/api/me/devices',
    summary: 'Register a push token of this device',
    permission: 'signed-in',
    rate: 'unlimited',
    body: RegisterDevice,
    status: 204,
    output: null,
    errors: [deviceErrors.invalidPlatform],
    run: registerDevice,
  }),
  defineRoute({
    method: 'delete',
    path: '/api/me/devices/{token}',
    summary: 'Delete a push token',
    permission: 'signed-in',
    rate: 'unlimited',
    params: DeviceToken,
    status: 204,
    output: null,
    run: removeDevice,
  }),
  defineRoute({
    method: 'get',
    path: '/api/me/devices',
    summary: 'The devices that receive pushes, newest first',
    permission: 'signed-in',
    rate: 'unlimited',
    status: 200,
    output: z.array(Device),
    run: listMyDevices,
  }),
  defineRoute({
    method: 'post',
    path: '/api/me/push-subscriptions',
    summary: 'Register a web push subscription: of a browser or of UnifiedPush',
    permission: 'signed-in',
    rate: 'unlimited',
    body: AddSubscription,
    status: 201,
    output: SubscriptionId,
    errors: [deviceErrors.invalidPushEndpoint],
    run: addSubscription,
  }),
  defineRoute({
    method: 'delete',
    path: '/api/me/push-subscriptions/{id}',
    summary: 'Delete a web push subscription',
    permission: 'signed-in',
    rate: 'unlimited',
    params: SubscriptionId,
    status: 204,
    output: null,
    run: removeSubscription,
  }),
]
