export { hasAdminSubject } from './store.ts'
