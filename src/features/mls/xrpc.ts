import { methods as administration } from './xrpc/administration.ts'
import { methods as blobs } from './xrpc/blobs.ts'
import { methods as convos } from './xrpc/convos.ts'
import { methods as delivery } from './xrpc/delivery.ts'
import { methods as devices } from './xrpc/devices.ts'

/** All methods of the `blue.catbird.mls` lexicons. */
export const methods = [...convos, ...delivery, ...devices, ...administration, ...blobs]
