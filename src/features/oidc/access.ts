export { findIdentityOwner, isFlowKeyUsed, listIdentities } from './store.ts'
