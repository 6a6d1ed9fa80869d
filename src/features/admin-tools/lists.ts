/** What administrators' tools list, as the interface for people does. */
export { getPendingUsers as listWaiting } from '../admin/service.ts'
export { getInvitations as listInvitations } from '../invites/service.ts'
