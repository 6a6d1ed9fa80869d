export { isVaultKeyUsed } from './store.ts'
