/** The lists of the administrators' tools, the same as in the REST interface. */
export { getPendingUsers as listWaiting } from '../admin/service.ts'
export { getInvitations as listInvitations } from '../invites/service.ts'
