export { isReasonKeyUsed } from './store.ts'
