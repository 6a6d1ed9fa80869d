export { findMessages, isMessageKeyUsed, listMessages, lockMessage } from './store.ts'
export { countMarks, countOlder, deleteMarks, listOlder } from './store-retention.ts'
