export { listSessions } from './store.ts'
