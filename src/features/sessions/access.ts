/** What other slices may ask and note about sessions, inside their own transactions. */
export { countExpired, findSession, holdSession, noteUse, renewProof } from './store.ts'
export { findSsoSession, isSignInKeyUsed } from './store-sign-in.ts'
