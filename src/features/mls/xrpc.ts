import { methods as administration } from './xrpc-administration.ts'
import { methods as blobs } from './xrpc-blobs.ts'
import { methods as convos } from './xrpc-convos.ts'
import { methods as delivery } from './xrpc-delivery.ts'
import { methods as devices } from './xrpc-devices.ts'

/** Every method under `blue.catbird.mls`, as the lexicons have them. */
export const methods = [...convos, ...delivery, ...devices, ...administration, ...blobs]
