export { findMessages, holdMessage, isKeyUsed, listMessages } from './store.ts'
