/** What other slices may ask and note about sessions, inside their own transactions. */
export {
  findSession,
  holdSession,
  isSignInKeyUsed,
  noteUse,
  renewProof,
} from './store.ts'
