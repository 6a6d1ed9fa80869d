import type { Config } from '../config/config.ts'
import type { Clock } from '../platform/clock.ts'
import type { Keyring } from '../platform/keyring.ts'
import { createFcmChannel } from './fcm.ts'
import { createGuardedFetch } from './guarded-fetch.ts'
import type { PushChannels } from './push.ts'
import { createWebPushChannel } from './web-push.ts'

/** The push channels of this server; their libraries are loaded with the first push. */
export function createPushChannels(config: Config, clock: Clock, keyring: Keyring): PushChannels {
  const fetch = createGuardedFetch(config.outboundAllow)
  const { firebase, vapidSubject: subject } = config.push
  const { firebaseKey: privateKey } = config.secrets
  return {
    fcm:
      firebase && privateKey ? createFcmChannel({ firebase, privateKey, clock, fetch }) : undefined,
    webpush: createWebPushChannel({ keyring, clock, fetch, subject }),
  }
}
