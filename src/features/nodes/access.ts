export { isVaultSealedWith } from './store.ts'
