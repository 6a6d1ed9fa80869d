/** What other slices may ask and note about sessions, inside their own transactions. */
export { holdSession, noteUse } from './store.ts'
