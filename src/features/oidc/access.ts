export { findIdentityOwner, isFlowKeyUsed } from './store.ts'
