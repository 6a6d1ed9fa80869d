/** The lists of the administrators' tools, the same as in the REST interface. */
export { getPendingUsers } from '../admin/service.ts'
export { getInvitations } from '../invites/service.ts'
