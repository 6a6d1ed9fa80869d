/** What other features may read and write about sessions, inside their own transactions. */
export { countExpired, findSession, lockSession, noteUse, renewProof } from './store.ts'
export { findSsoSession, isSignInKeyUsed } from './store-sign-in.ts'
