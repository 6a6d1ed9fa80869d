import { defineRoute } from '../../http/define-route.ts'
import { DeviceId, PushTest, VapidKey } from './schema.ts'
import { getVapidKey, testDevice } from './test-push.ts'

export const routes = [
  defineRoute({
    method: 'get',
    path: '/api/push/vapid-public-key',
    summary: 'The key that browsers subscribe to web push with',
    permission: 'signed-in',
    rate: 'unlimited',
    status: 200,
    output: VapidKey,
    run: getVapidKey,
  }),
  defineRoute({
    method: 'post',
    path: '/api/me/devices/{id}/test',
    summary: 'Send a test push to a device and report how far it got',
    permission: 'signed-in',
    rate: 'push-test',
    params: DeviceId,
    status: 200,
    output: PushTest,
    run: testDevice,
  }),
]
