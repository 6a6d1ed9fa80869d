export { deletePins } from './store.ts'
