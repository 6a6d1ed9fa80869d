import { defineRoute } from '../../http/define-route.ts'
import { deviceErrors } from './errors.ts'
import { DeviceToken, RegisterDevice } from './schema.ts'
import { registerDevice, removeDevice } from './service.ts'

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
    summary: 'Forget a push token',
    permission: 'signed-in',
    rate: 'unlimited',
    params: DeviceToken,
    status: 204,
    output: null,
    run: removeDevice,
  }),
]
