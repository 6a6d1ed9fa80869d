export { listGrantedRoles } from './store.ts'
