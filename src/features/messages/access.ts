export { findMessages, holdMessage, isKeyUsed, listMessages } from './store.ts'
export { countMarks, countOlder, deleteMarks, listOlder } from './store-retention.ts'
