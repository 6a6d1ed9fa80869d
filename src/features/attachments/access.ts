export { isKeyUsed } from './store.ts'
