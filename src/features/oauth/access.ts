/** Ends all grants to a user's AI clients, in the caller's transaction. */
export { revokeGrantRows as endGrantsOfUser } from './store.ts'
