export { findSubject, hasAdminSubject } from './store.ts'
