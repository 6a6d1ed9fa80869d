export { countResolvedBefore, deleteResolvedBefore, isReasonKeyUsed } from './store.ts'
