export type { Bytes } from './bytes.ts'
export type { OwnDevice } from './delivery/delivery-service.ts'
export { HttpTransport, type HttpTransportOptions } from './delivery/http-transport.ts'
export type { Json, JsonObject, Params, StreamEvent, Transport } from './delivery/transport.ts'
export { type DeviceOptions, MlsDevice } from './device/device.ts'
export {
  MlsError,
  type MlsErrorCode,
  ServiceError,
  SyncError,
  type SyncFailure,
} from './errors.ts'
export type { Attachment } from './groups/attachments.ts'
export type { Group, GroupMember } from './groups/group.ts'
export type { DeviceOf, HistoryEntry, MessageContent } from './groups/history.ts'
export type { GroupStatus } from './groups/record.ts'
export { CLASSICAL, HYBRID, type SuiteName } from './mls/suites.ts'
export { answerHandOver, type HandOverRequest, requestHandOver } from './people/hand-over.ts'
export { PersonSecret } from './people/secret.ts'
export { MemoryStore } from './stores/memory.ts'
export type { Change, Store } from './stores/store.ts'
