/** Ends what a person's AI clients were granted, in the caller's transaction. */
export { revokeGrantRows as endGrantsOfUser } from './store.ts'
